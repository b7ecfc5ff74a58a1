"""docs/generate.py on small pages: what it writes, and what it refuses."""

import importlib.util
import os
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
spec = importlib.util.spec_from_file_location("generate", os.path.join(ROOT, "docs", "generate.py"))
generate = importlib.util.module_from_spec(spec)
spec.loader.exec_module(generate)

HEAD = "| family | type | stability | labels | meaning |\n|---|---|---|---|---|\n"
T, D = generate.SETS["T"], generate.SETS["D"]


def family(name, labels="", absent="", text="Help.", kind="gauge", stability="STABLE"):
    return dict(zip(generate.COLUMNS, (name, kind, stability, labels, absent, text)))


def page(*globs, values=""):
    return "Before.\n\n" + values + "".join(f"<!-- families {g} -->\nold\n<!-- end -->\nBetween.\n" for g in globs)


class Rows(unittest.TestCase):
    maxDiff = None

    def rows(self, *families):
        text = generate.generate(page("*"), list(families))
        return text.split(HEAD)[1].split("\n\n<!-- end")[0].split("\n")

    def test_plain(self):
        self.assertEqual(self.rows(family("a_total", kind="counter", stability="EXPERIMENTAL")),
                         ["| `a_total` | counter | EXPERIMENTAL | | Help. |"])

    def test_labels_and_absence(self):
        self.assertEqual(
            self.rows(family("a", T), family("b", D + ",state=on|off,label_*", "where x_y.z_q is not set"),
                      family("c", "workspace,flink_namespaces")),
            ["| `a` | gauge | STABLE | T | Help. |",
             "| `b` | gauge | STABLE | D, `state` (`on`, `off`), `label_*` | Help. *Absent where `x_y.z_q` is not set.* |",
             "| `c` | gauge | STABLE | `workspace`, `flink_namespaces` | Help. |"])

    def test_prose_stays_and_twice_is_once(self):
        families = [family("a_one"), family("b_two")]
        once = generate.generate(page("a_*", "b_*"), families)
        self.assertEqual(once, "Before.\n\n" + "".join(
            f"<!-- families {n[0]}_* -->\n\n{HEAD}| `{n}` | gauge | STABLE | | Help. |\n\n<!-- end -->\nBetween.\n"
            for n in ("a_one", "b_two")))
        self.assertEqual(generate.generate(once, families), once)

    def test_the_longest_glob_decides(self):
        text = generate.generate(page("a_*", "a_b_*"), [family("a_c"), family("a_b_c")])
        self.assertLess(text.index("`a_c`"), text.index("families a_b_*"))
        self.assertGreater(text.index("`a_b_c`"), text.index("families a_b_*"))

    def test_shared_values_stand_once(self):
        families = [family(name, "kind=x|y") for name in "abc"] + [family("d", "kind=z|q")]
        text = generate.generate(page("*", values="<!-- values -->\nold\n<!-- end -->\n"), families)
        self.assertIn("| `kind` | `x`, `y` | `a`, `b`, `c` |\n", text)
        self.assertIn("| `a` | gauge | STABLE | [`kind`](#labels) | Help. |\n", text)
        self.assertIn("| `d` | gauge | STABLE | `kind` (`z`, `q`) | Help. |\n", text)
        self.assertNotIn("old", text)


class Refusals(unittest.TestCase):
    def refuses(self, text, *families):
        with self.assertRaises(generate.Refused):
            generate.generate(text, list(families))

    def test_places(self):
        self.refuses(page("b_*"), family("b_one"), family("a_one"))  # no place
        self.refuses(page("a_*", "b_*"), family("a_one"))  # nothing for a place
        self.refuses(page("a_*", "a_*"), family("a_one"))
        self.refuses(page("*"), family("a"), family("a"))

    def test_texts(self):
        for labels in ("a,a", "a,a=x|y", "a,,b", "A", "a b", "a=", "a=x||y", "a|b"):
            self.refuses(page("*"), family("x", labels))
        for text in ("", "no capital.", "No stop", "A | b.", 'A "b".', "A\\b."):
            self.refuses(page("*"), family("x", text=text))
        self.refuses(page("*"), family("x", absent="until then."))
        self.refuses(page("*"), family("x_total"))
        self.refuses(page("*"), family("x", kind="counter"))


if __name__ == "__main__":
    unittest.main()
