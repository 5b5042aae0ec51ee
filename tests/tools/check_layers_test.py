import unittest

from tree import TreeTest, load_tool

check_layers = load_tool("check_layers")


class CheckLayers(TreeTest):
    def test_names_file_line_and_header_of_an_upward_include(self):
        self.write("src/reactor/ring.h", "// Ring.\n")
        self.write("src/codec/ws/decoder.cc", '#include <vector>\n\n#include "reactor/ring.h"\n')
        self.assertEqual(
            check_layers.check(self.root),
            ["src/codec/ws/decoder.cc:3: codec may not include reactor/ring.h"],
        )

    def test_allows_what_the_table_allows(self):
        self.write("src/base/clock.h", "#include <chrono>\n")
        self.write("src/reactor/ring.h", '#include "base/clock.h"\n#include <liburing.h>\n')
        self.write("src/codec/ws/frame.h", '#include "codec/ws/close.h"\n#include <boost/a.hpp>\n')
        self.write("src/codec/ws/close.h", "#include <ringroom/close_code.h>\n")
        self.write("src/shard/shard.cc", '#include "reactor/ring.h"\n#include "codec/ws/frame.h"\n')
        self.write("src/server/server.h", '#include "base/clock.h"\n')
        self.write("src/main.cc", '#include "server/server.h"\n#include <ringroom/server.h>\n')
        self.assertEqual(check_layers.check(self.root), [])

    def test_the_agent_does_not_see_the_reactor(self):
        self.write("src/reactor/ring.h", "")
        self.write("src/agent/host.cc", '#include "reactor/ring.h"\n')
        self.assertEqual(
            check_layers.check(self.root),
            ["src/agent/host.cc:1: agent may not include reactor/ring.h"],
        )

    def test_an_angled_include_of_a_layer_counts_too(self):
        self.write("src/base/log.cc", "#include <shard/shard.h>\n")
        self.assertEqual(
            check_layers.check(self.root), ["src/base/log.cc:1: base may not include shard/shard.h"]
        )

    def test_samples_and_main_see_little(self):
        for header in ("base/log.h", "shard/shard.h"):
            self.write(f"src/{header}", "")
        self.write("src/samples/echo.cc", '#include <ringroom/ringroom.h>\n#include "base/log.h"\n')
        self.write("src/main.cc", '#include "shard/shard.h"\n')
        self.assertEqual(
            check_layers.check(self.root),
            [
                "src/main.cc:1: main may not include shard/shard.h",
                "src/samples/echo.cc:2: samples may not include base/log.h",
            ],
        )

    def test_a_public_header_includes_no_layer(self):
        self.write("include/ringroom/agent.h", '#include "agent/host.h"\n#include <vector>\n')
        self.assertEqual(
            check_layers.check(self.root),
            ["include/ringroom/agent.h:1: a public header may not include agent/host.h"],
        )

    def test_libraries_stay_with_their_layer(self):
        self.write("src/shard/shard.cc", "#include <liburing.h>\n")
        self.write("src/agent/sql.cc", "#include <sqlite3.h>\n")
        self.write("src/server/site.cc", "#include <boost/beast.hpp>\n")
        self.write("src/store/wal.cc", "#include <sqlite3.h>\n#include <flatbuffers/a.h>\n")
        self.assertEqual(
            check_layers.check(self.root),
            [
                "src/agent/sql.cc:1: only store may include <sqlite3.h>: use store/database.h",
                "src/server/site.cc:1: only codec may include <boost/beast.hpp>: use codec/http",
                "src/shard/shard.cc:1: only reactor may include <liburing.h>: use reactor/ring.h",
                "src/store/wal.cc:2: only codec may include <flatbuffers/a.h>: "
                "use codec/envelope.h",
            ],
        )

    def test_a_folder_outside_the_table_is_refused(self):
        self.write("src/utils/strings.h", "")
        self.assertEqual(
            check_layers.check(self.root),
            ["src/utils/strings.h:1: src/utils is no layer of the table in tools/check_layers.py"],
        )

    def test_quoted_paths_start_at_src(self):
        self.write("src/codec/ws/frame.h", "")
        self.write("src/codec/ws/decoder.cc", '#include "frame.h"\n#include "../ws/frame.h"\n')
        self.assertEqual(
            check_layers.check(self.root),
            [
                'src/codec/ws/decoder.cc:1: "frame.h" is in neither src/ nor include/: '
                "write the path from src/",
                'src/codec/ws/decoder.cc:2: "../ws/frame.h" leaves its folder: '
                "write the path from src/",
            ],
        )


if __name__ == "__main__":
    unittest.main()
