"""Makes the page a part of the executable: embed.py index.html page.cc writes its bytes as C++."""
import pathlib
import sys

source, target = (pathlib.Path(name) for name in sys.argv[1:])
content = source.read_bytes()
lines = [", ".join(str(byte) for byte in content[at:at + 20]) for at in range(0, len(content), 20)]
target.write_text(
    '#include "server/site.h"\n'
    "\n"
    "namespace ringroom::server {\n"
    "\n"
    "std::string_view page_template() {\n"
    "  static constexpr unsigned char page[] = {\n      "
    + ",\n      ".join(lines)
    + "};\n"
    "  return {reinterpret_cast<const char*>(page), sizeof(page)};\n"
    "}\n"
    "\n"
    "}  // namespace ringroom::server\n"
)
