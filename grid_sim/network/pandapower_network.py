"""One of pandapower's networks by its name. The only file that knows pandapower, once it is asked."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pydantic import with_config

from grid_sim.network.csv_network import SourcePu
from grid_sim.network.model import Network
from grid_sim.network.pandapower_tables import PandapowerTables
from register_maps.yaml_file import STRICT_KEYS, Faults, Place, unknown


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class PandapowerNetwork:
    """Buses are named by their number there."""

    kind: Literal["pandapower"]
    network: str
    """A function of pandapower.networks, such as create_kerber_landnetz_freileitung_1."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    source_pu: SourcePu | None = None
    """In place of what the network says."""

    def load(self, faults: Faults, place: Place) -> Network | None:
        """The network; None, and every reason noted, if it can't be had or can't be represented."""
        at = (*place, "network")
        try:
            net = self._net()
        except LookupError as error:
            faults.add(at, str(error.args[0]))
            return None
        tables = PandapowerTables(net)
        network = tables.network()
        for message in tables.faults:
            faults.add(at, f"{self.network}: {message}")
        if network is None or tables.faults:
            return None
        if self.source_pu is None:
            return network
        return replace(network, source=replace(network.source, voltage_pu=self.source_pu))

    def _net(self) -> Any:
        """LookupError, with the reason, where there is none."""
        with warnings.catch_warnings(action="ignore"):
            try:
                from pandapower import networks, pandapowerNet
            except ImportError as error:
                needs = "needs the package pandapower: install with the extra `pandapower`"
                raise LookupError(needs) from error
            known = {name: each for name, each in vars(networks).items() if _makes_networks(each)}
            if self.network not in known:
                raise LookupError(unknown("network of pandapower's", self.network, known))
            try:
                net = known[self.network](**self.arguments)
            except Exception as error:  # whatever it has to say of arguments that it doesn't like
                raise LookupError(f"{self.network} can't be made: {error}") from error
        if not isinstance(net, pandapowerNet):
            raise LookupError(f"{self.network} makes no network")
        return net


def _makes_networks(each: object) -> bool:
    module = str(getattr(each, "__module__", ""))
    return callable(each) and not isinstance(each, type) and module.startswith("pandapower.networks.")
