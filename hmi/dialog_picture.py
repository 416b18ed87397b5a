"""A question to the operator, over everything else: old value, new value, and what to press."""

from hmi import figures
from hmi.look import BLUE, DIM, INK, ORANGE, PANEL, TRACK, Style
from hmi.master_view import MasterView
from hmi.operator_panel import Question, Step
from hmi.sketch import Align, Box, Press, Sketch
from hmi.texts import Texts

KEYPAD = (("7", "8", "9"), ("4", "5", "6"), ("1", "2", "3"), (".", "0", "erase"))
PLAIN, MAIN = Style(TRACK, INK, ()), Style(BLUE, INK, ())
SHADE = "#05080B"


def draw_question(sketch: Sketch, whole: Box, question: Question, view: MasterView, texts: Texts) -> None:
    """Covers the screen: what lies below can't be pressed."""
    sketch.area(whole, SHADE)
    sketch.touches.append((whole, Press("nothing")))
    width, height = min(whole.width, sketch.px(620)), min(whole.height, sketch.px(430))
    box = Box((whole.width - width) / 2, (whole.height - height) / 2, width, height).inset(sketch.px(8))
    sketch.area(box, PANEL)
    inner = box.inset(sketch.px(10))
    title, rest = inner.cut_top(sketch.px(34), sketch.px(6))
    sketch.text(title, _title(question, view, texts), largest=22, bold=True)
    buttons, rest = rest.cut_bottom(min(sketch.px(60), rest.height * 0.3), sketch.px(8))
    _buttons(sketch, buttons, question, texts)
    if question.step is Step.ENTER:
        _entry(sketch, rest, question, view, texts)
    elif question.step in (Step.REFUSED, Step.OFF):
        why = texts("ask.standby") if question.step is Step.OFF else question.why
        sketch.text(rest, why, largest=20, lines=4)
    else:
        _old_and_new(sketch, rest, question, view, texts)


def _title(question: Question, view: MasterView, texts: Texts) -> str:
    return texts(f"ask.{question.subject}", station=question.name, currency=view.currency)


def _buttons(sketch: Sketch, box: Box, question: Question, texts: Texts) -> None:
    no, yes = box.columns(2, sketch.px(10))
    match question.step:
        case Step.ENTER:
            style = MAIN if question.number is not None else Style(PANEL, TRACK, ())
            sketch.button(yes, texts("ask.next"), Press("next"), style, largest=24)
        case Step.CONFIRM:
            word = "do_change" if question.setting else f"do_{question.subject}"
            sketch.button(yes, texts(f"ask.{word}"), Press("agree"), MAIN, largest=24)
        case Step.SENDING:
            sketch.text(box, texts("ask.sending"), largest=20, align=Align.CENTRE)
            return
        case Step.REFUSED | Step.OFF:
            sketch.button(box, texts("ask.close"), Press("cancel"), MAIN, largest=24)
            return
    sketch.button(no, texts("ask.cancel"), Press("cancel"), PLAIN, largest=24)


def _old_and_new(sketch: Sketch, box: Box, question: Question, view: MasterView, texts: Texts) -> None:
    rows = box.rows(3, sketch.px(6))
    pairs = [
        (texts("ask.old"), question.old(view, texts), DIM),
        (texts("ask.new"), question.new(texts), ORANGE),
    ]
    for (label, value, colour), row in zip(pairs, rows, strict=False):
        name, rest = row.cut_left(row.width * 0.25, sketch.px(10))
        sketch.text(name, label, largest=20, colour=DIM)
        sketch.text(rest, value, largest=30, bold=True, colour=colour)
    if question.subject == "power_limit" and view.power_limit_w < view.power_limit_asked_w:
        limit = figures.kilowatt_limit(view.power_limit_w)
        sketch.text(rows[2], texts("ask.in_force", limit=limit), largest=15, lines=2)


def _entry(sketch: Sketch, box: Box, question: Question, view: MasterView, texts: Texts) -> None:
    setting = question.setting
    assert setting
    wide = box.width > 1.4 * box.height
    left, pad = box.columns(2, sketch.px(10)) if wide else box.cut_top(box.height * 0.34, sketch.px(8))
    old, new, hint = left.rows(3, sketch.px(4))
    sketch.text(old, f"{texts('ask.old')} {question.old(view, texts)}", largest=20, colour=DIM)
    sketch.area(new, SHADE)
    typed = question.typed.replace("-", "−") or texts("ask.enter")
    colour = ORANGE if question.typed else DIM
    sketch.text(
        new.inset(sketch.px(8), 0),
        typed,
        largest=26 if question.typed else sketch.px(15),
        colour=colour,
    )
    if question.typed and question.number is None:
        words = texts("ask.wrong", lowest=f"{setting.lowest:g}", highest=f"{setting.highest:g}")
        sketch.text(hint, words, largest=15, lines=2)
    _keypad(sketch, pad, negative=setting.lowest < 0)


def _keypad(sketch: Sketch, box: Box, *, negative: bool) -> None:
    signs = {"erase": "⌫", "-": "−"}
    rows = [list(row) for row in KEYPAD]
    if negative:
        rows[-1].insert(0, "-")
    for keys, line in zip(rows, box.rows(len(rows), sketch.px(4)), strict=True):
        for key, place in zip(keys, line.columns(len(keys), sketch.px(4)), strict=True):
            sketch.button(place, signs.get(key, key), Press("digit", text=key), PLAIN, largest=24)
