"""The page Labels, clicked through without a browser."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from app_workspaces import filled_workspace
from clicking import FRAME, Open, click, opening, quiet, table
from streamlit.testing.v1 import AppTest

from darkgnn_core.labels.analyst import SOURCE_ID
from darkgnn_core.labels.classes import label_classes
from darkgnn_core.labels.lists import ListOptions
from darkgnn_core.labels.store import add_list, history, list_sources, standing_labels
from darkgnn_core.workspace import Workspace, open_workspace

ONE = b"src_ip,label\n198.51.100.2,Acme\n198.51.100.3,xpanse\n2001:db8::1,Acme\n"
TWO = b"src_ip,label\n198.51.100.2,Other Inc\n192.0.2.0/23,Acme\n"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace of three days and 23 hosts, 198.51.100.1 and up."""
    return filled_workspace(tmp_path_factory.mktemp("filled"))


@pytest.fixture
def workspace(filled: Workspace, tmp_path: Path) -> Workspace:
    """A copy of it, to be changed."""
    shutil.copytree(filled.root, tmp_path / "workspace")
    return open_workspace(tmp_path / "workspace")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Open a view of the page."""
    with opening(monkeypatch, "manage_labels.py", views="labels_view", first="Sources") as go:
        yield go


def add(workspace: Workspace, content: bytes, name: str, **options: Any) -> str:
    """Add a list and return the id of its source."""
    with workspace.catalogue() as connection:
        added = add_list(connection, content, name=name, options=ListOptions(**options))
    return added.source_id


def names(workspace: Workspace) -> list[str]:
    """Return the sources in their order."""
    with workspace.catalogue() as connection:
        return [source.name for source in list_sources(connection)]


VIEWS = [
    "Sources", "Add lists", "Label by hand", "Conflicts", "Names", "Kinds of sender", "History",
]  # fmt: skip


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_opens_on_an_empty_workspace(run: Open, tmp_path: Path, view: str) -> None:
    """Before anything is loaded, nothing fails and something is said."""
    app = run(tmp_path / "new", view)
    assert app.metric[0].value == "0"


def test_sources_are_listed_with_their_hosts(run: Open, workspace: Workspace) -> None:
    """Kind, labels, hosts they label and win; the figures above; what became of the rows."""
    add(workspace, ONE, "one.csv")
    add(workspace, TWO, "two.csv")
    app = run(workspace.root)
    sources = table(app, "hosts it labels").set_index("source")
    assert sources.loc["one.csv", ["labels", "hosts it labels", "hosts it wins"]].tolist() == [
        2, 2, 2,
    ]  # fmt: skip
    assert sources.loc["two.csv", ["labels", "hosts it labels", "hosts it wins"]].tolist() == [
        1, 1, 0,
    ]  # fmt: skip
    figures = {metric.label: metric.value for metric in app.metric}
    assert figures["Hosts seen"] == "23"
    assert (figures["With a label"], figures["Share"]) == ("2", "8.7%")
    assert figures["Disputed"] == "1"
    chosen = app.selectbox(key="label_source")
    chosen.set_value(next(v for v in _ids(workspace) if v[1] == "one.csv")[0]).run()
    assert "3 rows read = 2 kept + 1 skipped" in [text.value for text in app.text]
    assert table(app, "reason")["reason"].tolist() == ["IPv6, which is only counted"]


def _ids(workspace: Workspace) -> list[tuple[str, str]]:
    with workspace.catalogue() as connection:
        return [(source.id, source.name) for source in list_sources(connection)]


def test_the_order_is_changed_and_decides(run: Open, workspace: Workspace) -> None:
    """Two lists disagree on a host; moved up, the other one wins it."""
    add(workspace, ONE, "one.csv")
    second = add(workspace, TWO, "two.csv")
    app = run(workspace.root)
    app.selectbox(key="label_source").set_value(second).run()
    click(app, "label_up")
    assert names(workspace)[:2] == ["two.csv", "one.csv"]
    assert table(app, "hosts it wins").set_index("source").loc["two.csv", "hosts it wins"] == 1
    assert app.selectbox(key="label_source").value == second
    assert "moved up" in app.success[0].value
    click(app, "label_down")
    assert names(workspace)[:2] == ["one.csv", "two.csv"]


def test_a_source_is_removed_after_a_yes(run: Open, workspace: Workspace) -> None:
    """It is gone, what is left is shown, and the sentence says what went."""
    source = add(workspace, ONE, "one.csv")
    app = run(workspace.root)
    app.selectbox(key="label_source").set_value(source).run()
    click(app, "label_remove")
    assert "one.csv" not in names(workspace)
    assert "2 labels" in app.success[0].value.replace("\\", "")


def test_a_folder_is_looked_at_and_added(run: Open, workspace: Workspace, tmp_path: Path) -> None:
    """Kinds by content, counts, the file that is no list with its reason; then added."""
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "one.txt").write_bytes(ONE)
    (folder / "set").write_bytes(b"create s hash:net\nadd s 198.51.100.5\n")
    (folder / "photo").write_bytes(b"\x89PNG\x00\x01")
    app = run(workspace.root, "Add lists")
    app.text_input(key="label_path_0").input(str(folder)).run()
    looks = table(app, "held back").set_index("file")
    assert looks["kind"].to_dict() == {
        "one.txt": "CSV list", "photo": "not read", "set": "ipset save file",
    }  # fmt: skip
    assert looks.loc["photo", "message"]
    assert names(workspace) == ["Mirai fingerprint"]
    assert app.button(key="label_add").label == "Add 2 lists"
    click(app, "label_add")
    assert {"one.txt", "set"} <= set(names(workspace))
    assert "2 added" in app.success[0].value
    assert app.text_input(key="label_path_1").value == ""


def test_wide_prefixes_wait_for_a_yes(run: Open, workspace: Workspace, tmp_path: Path) -> None:
    """Held back and listed; taken only after the box was ticked."""
    path = tmp_path / "two.csv"
    path.write_bytes(TWO)
    app = run(workspace.root, "Add lists")
    app.text_input(key="label_path_0").input(str(path)).run()
    assert table(app, "held back")[["kept", "held back"]].to_numpy().tolist() == [[1, 1]]
    assert table(app, "addresses")[["prefix", "addresses"]].to_numpy().tolist() == [
        ["192.0.2.0/23", 512]
    ]
    app.checkbox(key="label_allow_wide").check().run()
    assert table(app, "held back")[["kept", "held back"]].to_numpy().tolist() == [[2, 0]]
    click(app, "label_add")
    with workspace.catalogue() as connection:
        kept = {each.name: each.labels for each in list_sources(connection)}
    assert kept["two.csv"] == 2


def test_an_upload_is_added_and_leaves_no_file(run: Open, workspace: Workspace) -> None:
    """Under the name the browser gave; the copy in the inbox goes."""
    app = run(workspace.root, "Add lists")
    app.segmented_control(key="label_place").set_value("Upload").run()
    app.file_uploader(key="label_upload_0").set_value([("<b>mine.csv", ONE, "text/csv")]).run()
    assert table(app, "held back")["kept"].tolist() == [2]
    click(app, "label_add")
    assert "<b>mine.csv" in names(workspace)
    assert "**" not in app.success[0].value
    assert list(workspace.inbox.glob(".upload-*")) == []


def test_a_path_that_is_not_there_is_said(run: Open, workspace: Workspace) -> None:
    """In words, without a traceback."""
    app = run(workspace.root, "Add lists")
    app.text_input(key="label_path_0").input("/no/such/list.csv").run()
    assert not app.exception
    assert "no such file" in app.error[0].value.replace("\\", "")


def test_settings_for_a_csv_of_another_form(
    run: Open, workspace: Workspace, tmp_path: Path
) -> None:
    """Semicolons and names of one's own are read once they are given."""
    path = tmp_path / "odd.csv"
    path.write_text("who;what\n198.51.100.4;Acme\n")
    app = run(workspace.root, "Add lists")
    app.text_input(key="label_path_0").input(str(path)).run()
    assert app.button(key="label_add").disabled
    app.selectbox(key="label_delimiter").set_value(";")
    app.text_input(key="label_address_column").input("who")
    app.text_input(key="label_label_column").input("what").run()
    assert table(app, "held back")["kept"].tolist() == [1]


def give(app: AppTest, addresses: str, label: str, *, turn: int = 0, sure: int | None = 80) -> None:
    """Fill in the form and run it."""
    app.text_area(key=f"label_addresses_{turn}").input(addresses)
    app.selectbox(key=f"label_text_{turn}").set_value(label)
    app.number_input(key=f"label_sure_{turn}").set_value(sure)
    app.text_input(key=f"label_reason_{turn}").input("their banner says so").run()


def standing(workspace: Workspace) -> list[tuple[str, float | None, str]]:
    """Return label, confidence and reason of the labels by hand that stand."""
    with workspace.catalogue() as connection:
        rows = standing_labels(connection, SOURCE_ID)
    return [(row["label"], row["confidence"], row["evidence"]) for row in rows]


def test_hosts_are_labelled_by_hand_and_undone(run: Open, workspace: Workspace) -> None:
    """With how sure and why; undo takes back, undo of that gives again."""
    app = run(workspace.root, "Label by hand")
    give(app, "198.51.100.7 198.51.100.8/31, 192.0.2.1", "censys")
    assert "4 addresses, of which 3 were seen" in app.caption[0].value
    click(app, "label_give")
    assert standing(workspace) == [("censys", 0.8, "their banner says so")] * 3
    assert app.text_area(key="label_addresses_1").value == ""
    give(app, "198.51.100.7", "shodan", turn=1)
    click(app, "label_give")
    assert sorted(label for label, *_ in standing(workspace)) == ["censys", "censys", "shodan"]
    click(app, "label_undo")
    assert standing(workspace) == [("censys", 0.8, "their banner says so")] * 3
    click(app, "label_undo")
    assert standing(workspace) == []
    assert app.button(key="label_undo").disabled
    click(app, "label_undo_redo")
    assert len(standing(workspace)) == 3
    with workspace.catalogue() as connection:
        assert len(history(connection, source_id=SOURCE_ID)) == 8


def test_labels_by_hand_are_taken_back_one_by_one(run: Open, workspace: Workspace) -> None:
    """Chosen from those that stand; the history keeps them."""
    app = run(workspace.root, "Label by hand")
    give(app, "198.51.100.7 198.51.100.9", "shodan", sure=None)
    click(app, "label_give", is_quiet=False)
    chosen = app.multiselect(key="label_take_back_1")
    with workspace.catalogue() as connection:
        first = standing_labels(connection, SOURCE_ID)[0]["id"]
    chosen.set_value([first]).run()
    click(app, "label_withdraw")
    assert standing(workspace) == [("shodan", None, "their banner says so")]
    app = run(workspace.root, "History")
    app.text_input(key="label_history_address").input("198.51.100.9").run()
    assert table(app, "taken back")["taken back"].notna().tolist() == [True]


def test_wrong_addresses_keep_the_button_off(run: Open, workspace: Workspace) -> None:
    """Each is listed with what was expected."""
    app = run(workspace.root, "Label by hand")
    give(app, "198.51.100.7 example.org", "censys")
    assert app.button(key="label_give").disabled
    assert table(app, "what is wrong")["text"].tolist() == ["'example.org'"]


def test_a_wide_prefix_by_hand_needs_a_yes(run: Open, workspace: Workspace) -> None:
    """The button stays off until the box is ticked."""
    app = run(workspace.root, "Label by hand")
    give(app, "198.51.100.0/22", "censys")
    assert app.button(key="label_give").disabled
    app.checkbox(key="label_hand_wide").check().run()
    click(app, "label_give")
    assert len(standing(workspace)) == 1


def test_conflicts_are_listed_with_who_wins_and_why(run: Open, workspace: Workspace) -> None:
    """About hosts seen, or about everything; each side with its source."""
    add(workspace, ONE, "one.csv")
    add(workspace, TWO + b"203.0.113.1,a\n203.0.113.1,b\n", "two.csv")
    app = run(workspace.root, "Conflicts")
    found = table(app, "why that wins")
    assert found["address"].tolist() == ["198.51.100.2"]
    assert found["who says so"].tolist() == ["one.csv"]
    assert "two.csv: other inc" in found["what others say"].iloc[0]
    app.toggle(key="label_only_seen").set_value(False).run()
    assert len(table(app, "why that wins")) == 2


def test_names_are_set_and_removed(run: Open, workspace: Workspace) -> None:
    """A new alias is edited, a seeded one can be removed, a circle is refused in words."""
    app = run(workspace.root, "Names")
    app.text_input(key="label_alias").input("Acme Corp")
    app.text_input(key="label_alias_target").input("acme").run()
    click(app, "label_alias_save")
    aliases = table(app, "stands for").set_index("name")
    assert aliases.loc["acme corp"].tolist() == ["acme", "changed here"]
    app.selectbox(key="label_alias_chosen").set_value("xpanse").run()
    click(app, "label_alias_remove")
    assert "xpanse" not in table(app, "stands for")["name"].tolist()
    app.text_input(key="label_alias").input("acme")
    app.text_input(key="label_alias_target").input("acme corp").run()
    click(app, "label_alias_save", is_quiet=False)
    assert not app.exception
    assert "already stands for" in app.error[0].value


def test_kinds_of_sender_feed_the_switch(run: Open, workspace: Workspace) -> None:
    """Acme becomes a known scanner, so hiding those hides its host on Today."""
    add(workspace, b"src_ip,label\n198.51.100.7,Acme\n198.51.100.8,mirai\n", "one.csv")
    app = run(workspace.root, "Kinds of sender")
    app.selectbox(key="label_class_label").set_value("acme").run()
    assert app.button(key="label_class_save").disabled
    app.segmented_control(key="label_class_of_acme_other").set_value("known").run()
    click(app, "label_class_save")
    with workspace.catalogue() as connection:
        assert label_classes(connection)["acme"] == "known"
    app.toggle(key="hide_known").set_value(True).run()
    app.switch_page("../today_queue.py").run()
    shown = set(table(quiet(app), "dark_addresses")["address"])
    assert "198.51.100.7" not in shown
    assert "198.51.100.8" in shown


def test_hostile_labels_stay_text(run: Open, workspace: Workspace) -> None:
    """Names and labels that are Markdown, HTML or formulas reach no Markdown unescaped."""
    evil = "![x](http://192.0.2.1/a) <b>$x$</b>"
    name = "**[evil](http://192.0.2.1)**.csv"
    source = add(workspace, f'src_ip,label\n198.51.100.2,"{evil}"\n'.encode(), name)
    app = run(workspace.root)
    app.selectbox(key="label_source").set_value(source).run()
    click(app, "label_down", is_quiet=False)
    said = app.success[0].value
    assert "](" not in said
    assert "**" not in said
    for view in VIEWS:
        app.segmented_control(key="labels_view").set_value(view).run()
        quiet(app)
        for block in (*app.markdown, *app.caption, *app.info, *app.success, *app.warning):
            assert "](http" not in block.value


def test_a_stale_view_in_the_address_is_ignored(
    run: Open, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link to a view that does not exist opens the first one."""
    monkeypatch.setenv("DARKGNN_WORKSPACE", str(workspace.root))
    app = AppTest.from_file(FRAME, default_timeout=60).run()
    app.query_params["labels_view"] = "Nonsense"
    app.switch_page("../manage_labels.py").run()
    quiet(app)
    assert app.segmented_control(key="labels_view").value == "Sources"
