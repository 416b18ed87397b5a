"""Peers in a station's file, and how every fault in them is told."""

from pathlib import Path

import pytest
from site_certificates import SiteCertificates

from register_maps.yaml_file import BadFile, place_text
from rtu_firmware.rtu import station_map
from rtu_firmware.station_file import MOST_PEERS, PeerEntry, StationFile, read_station

STATION = """
name: RTS1
board: sim
listen: {port: 5021}
rated_power_w: 3300
minimum_power_w: 1300
"""


def station(folder: Path, more: str) -> StationFile:
    path = folder / "station.yaml"
    path.write_text(STATION + more)
    return read_station(path)


def faults(folder: Path, more: str) -> dict[str, str]:
    with pytest.raises(BadFile) as caught:
        station(folder, more)
    return {place_text(fault.place).removesuffix(": "): fault.message for fault in caught.value.faults}


def test_peers_are_read_in_their_order(tmp_path):
    read = station(tmp_path, "peers: [{name: RTS2, host: a, port: 5022}, {name: RTS3, host: b}]")
    assert read.peers == [
        PeerEntry(name="RTS2", host="a", port=5022),
        PeerEntry(name="RTS3", host="b", port=502),
    ]
    assert station(tmp_path, "").peers == []


def test_the_map_has_room_for_as_many_as_a_file_may_have():
    assert f"peer_{MOST_PEERS}_name" in station_map().points
    assert f"peer_{MOST_PEERS + 1}_name" not in station_map().points


@pytest.mark.parametrize(
    ("peers", "place", "says"),
    [
        ("[{name: RTS1, host: a}]", "peers[0].name", "'RTS1' is the station itself already"),
        ("[{name: A, host: a}, {name: A, host: b}]", "peers[1].name", "'A' is peers[0] already"),
        ("[{name: A, host: a}, {name: B, host: a}]", "peers[1].port", "a:502 is peers[0] already"),
        ("[{name: A, host: 127.0.0.1, port: 5021}]", "peers[0].port", "is the station itself already"),
        ("[{name: Car park 2 / W 16, host: a}]", "peers[0].name", "more than the 16 bytes"),
        ("[{name: A, host: a, tls: true}]", "peers[0].tls", "give `tls` for the station"),
        ("[{name: A, hots: a}]", "peers[0].hots", "did you mean 'host'?"),
        ("[{name: A, host: a, port: 0}]", "peers[0].port", "greater than or equal to 1"),
        ("{name: A, host: a}", "peers", "list"),
        (f"[{', '.join(f'{{name: A{n}, host: a{n}}}' for n in range(9))}]", "peers", "at most 8"),
    ],
)
def test_each_fault_says_where_and_what(tmp_path, peers, place, says):
    assert says in faults(tmp_path, f"peers: {peers}")[place]


def test_with_peers_the_own_name_has_to_fit_too(tmp_path):
    path = tmp_path / "station.yaml"
    path.write_text(STATION.replace("RTS1", "Car park 2 / West 16") + "peers: [{name: A, host: a}]")
    with pytest.raises(BadFile, match=r"name: .*more than the 16 bytes"):
        read_station(path)


def test_peers_over_tls_need_no_roles_of_the_own_server(tmp_path, certificates: SiteCertificates):
    files = certificates.files("rtu")
    tls = f"tls: {{ca: {files.ca}, certificate: {files.certificate}, key: {files.key}}}\n"
    read = station(tmp_path, tls + "peers: [{name: A, host: a, tls: true}]")
    assert (read.peers[0].tls, read.peers[0].port) == (True, 802)
    assert "serves nothing" in faults(tmp_path, tls + "peers: [{name: A, host: a}]")["tls"]


def test_each_name_begins_at_its_own_time(tmp_path):
    delays_s = {
        read_station_named(tmp_path, name).ratings.start_delay_s for name in ("RTS1", "RTS2", "RTS3", "RTS4")
    }
    assert len(delays_s) == 4
    assert all(0 <= delay_s <= 10 for delay_s in delays_s)
    assert station(tmp_path, "failsafe: {spread_s: 0}").ratings.start_delay_s == 0


def read_station_named(folder: Path, name: str) -> StationFile:
    path = folder / f"{name}.yaml"
    path.write_text(STATION.replace("RTS1", name))
    return read_station(path)
