"""The `network` of a scenario's file: one of several kinds, each giving the same plain values."""

from dataclasses import replace
from pathlib import Path

from grid_sim.network.csv_network import CsvNetwork
from grid_sim.network.model import Network
from grid_sim.network.pandapower_network import PandapowerNetwork
from grid_sim.network.radial import RadialNetwork, note_radial_faults
from register_maps.yaml_file import Faults, Place, unknown

NetworkFile = CsvNetwork | RadialNetwork | PandapowerNetwork
KINDS: dict[str, type[NetworkFile]] = {
    "csv": CsvNetwork,
    "radial": RadialNetwork,
    "pandapower": PandapowerNetwork,
}
STIFF = "The source is stiff: whatever is drawn, its voltage stays."


def read_network(data: object, path: Path, faults: Faults, place: Place) -> Network | None:
    """The network that `data`, read from `path`, describes; None where none comes of it. Every fault is
    noted either way."""
    if not isinstance(data, dict):
        faults.add(place, f"must be a mapping of keys to values (got {data!r})")
        return None
    kind = KINDS.get(str(data.get("kind")))
    if kind is None:
        faults.add((*place, "kind"), unknown("kind of network", data.get("kind"), KINDS))
        return None
    if kind is RadialNetwork:
        note_radial_faults(data, faults, place)
    file = faults.parse(kind, data, place)
    network = _load(file, path.parent, faults, place) if file else None
    return replace(network, assumptions=(STIFF, *network.assumptions)) if network else None


def _load(file: NetworkFile, base: Path, faults: Faults, place: Place) -> Network | None:
    match file:
        case CsvNetwork():
            return file.load(base, faults, place)
        case RadialNetwork():
            return file.network()
        case PandapowerNetwork():
            return file.load(faults, place)
