import unittest

from tree import TreeTest, load_tool

check_style = load_tool("check_style")
HEADER = "// Thing: what it is. Any thread.\n#pragma once\n"


class CheckStyle(TreeTest):
    def complaints_about(self, path, text):
        self.write(path, text)
        self.write("src/meson.build", "lib = static_library('x', 'shard/a.cc', 'base/a.cc')\n")
        return check_style.check(self.root)

    def test_a_clean_tree_has_no_complaints(self):
        self.write("src/shard/a.h", HEADER + "struct A { A(A&&) = delete; };\n")
        self.assertEqual(self.complaints_about("src/shard/a.cc", '#include "shard/a.h"\n'), [])

    def test_500_lines_are_allowed_and_501_are_not(self):
        self.assertEqual(self.complaints_about("src/base/a.cc", "int a;\n" * 500), [])
        self.assertEqual(
            self.complaints_about("src/base/a.cc", "int a;\n" * 501),
            ["src/base/a.cc:501: 501 lines, at most 500: split it"],
        )

    def test_a_header_without_a_first_comment_or_guard(self):
        found = self.complaints_about("include/ringroom/a.h", "struct A {};\n")
        self.assertEqual(len(found), 2)
        self.assertIn("include/ringroom/a.h:1: a header begins with a comment", found[0])
        self.assertIn("#pragma once is missing", found[1])

    def test_a_source_that_nothing_builds(self):
        self.assertEqual(
            self.complaints_about("src/codec/lost.cc", ""),
            ["src/codec/lost.cc:1: in no meson.build: build it or delete it"],
        )

    def test_open_ends(self):
        for word in ("TO" + "DO", "FIX" + "ME"):
            self.assertEqual(
                self.complaints_about("bench/a_bench.cc", f"int a;  // {word}(soon): b\n"),
                [f"bench/a_bench.cc:1: {word}: finish it, or file an issue"],
            )

    def test_each_ban_names_its_replacement(self):
        for line, name in (
            ("auto* a = new Thing;", "new"),
            ("delete a;", "delete"),
            ("std::function<void()> f;", "std::function"),
            ("std::shared_ptr<int> p;", "std::shared_ptr"),
            ("std::mutex m;", "std::mutex"),
            ("std::scoped_lock lock(m);", "std::mutex"),
            ("thread_local int x;", "thread_local"),
            ('std::printf("%d", 1);', "printf"),
            ('fprintf(stderr, "x");', "printf"),
            ("std::this_thread::sleep_for(1ms);", "sleep"),
            ("::usleep(10);", "sleep"),
        ):
            found = self.complaints_about("src/shard/a.cc", f"int a;\n{line}\n")
            self.assertEqual(len(found), 1, (line, found))
            self.assertIn(f"src/shard/a.cc:2: {name} is banned in hot layers: use ", found[0])

    def test_bans_are_for_hot_layers_only(self):
        self.assertEqual(self.complaints_about("src/base/a.cc", "std::mutex m;\n"), [])

    def test_comments_strings_and_placement_are_no_breach(self):
        text = (
            "// a new room; delete it later\n"
            "/* std::mutex\n   new */\n"
            'const char* a = "delete \\" new";\n'
            'const char* b = R"(new\nprintf)";\n'
            "int c = 1'000'000; A(const A&) = delete;\n"
            "::new (place) Thing(1);\n"
            "host.sleep(room);\n"
            "snprintf_free(x);\n"
        )
        self.assertEqual(self.complaints_about("src/shard/a.cc", text), [])

    def test_line_numbers_survive_long_comments(self):
        found = self.complaints_about("src/shard/a.cc", '/* a\n b\n c */ R"(\n)";\nstd::mutex m;\n')
        self.assertEqual(found[0].split(": ")[0], "src/shard/a.cc:5")

    def test_installed_packages_and_corpora_are_left_alone(self):
        self.write("tests/fuzz/ws/corpus/a.js", "TO" + "DO")
        self.assertEqual(self.complaints_about("tests/e2e/node_modules/ws/a.js", "TO" + "DO"), [])


if __name__ == "__main__":
    unittest.main()
