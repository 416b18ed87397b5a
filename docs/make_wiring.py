"""Draws the wiring of docs/bench.md, and writes its table, from the station's file that the bench runs on."""

from pathlib import Path

from wiring_picture import picture
from wiring_table import table

from rtu_firmware.station_file import read_station

HERE = Path(__file__).parent
STATION = HERE.parent / "examples" / "pi.yaml"
PICTURE = HERE / "pictures" / "bench_wiring.svg"
PAGE = HERE / "bench.md"
BEGIN, END = "<!-- from docs/make_wiring.py -->\n", "<!-- to here -->\n"


def pages() -> dict[Path, str]:
    station = read_station(STATION)
    assert station.pi is not None
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    return {PICTURE: picture(station.pi), PAGE: f"{before}{BEGIN}\n{table(station.pi)}\n{END}{after}"}


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text)
