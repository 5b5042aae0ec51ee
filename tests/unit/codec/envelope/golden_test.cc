// The golden files of proto/: what other clients are tested against is what we write.
#include "codec/envelope/envelope.h"
#include "samples.h"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace ringroom::codec::envelope {
namespace {

using namespace testing;

std::string golden(const std::string& name) {
  std::ifstream file(std::string(GOLDEN_FOLDER) + "/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(GoldenEnvelope, IsWhatWeWrite) {
  EXPECT_EQ(text_of(flat(golden_head, golden_messages)), golden("envelope.rre"));
  EXPECT_EQ(json_text(golden_head, golden_messages), golden("envelope.json"));
}

// Written by flatc from a description: other writers place things differently.
TEST(GoldenEnvelope, OfAnotherWriterIsRead) {
  const std::string wire = golden("envelope-flatc.rre");
  Batch batch;
  ASSERT_EQ(read(bytes_of(wire), batch), "");
  EXPECT_EQ(batch.timestamp_ms(), golden_head.timestamp_ms);
  EXPECT_EQ(batch.sequence(), golden_head.sequence);
  EXPECT_EQ(batch.missed(), golden_head.missed);
  EXPECT_EQ(copies(batch), golden_messages);
}

}  // namespace
}  // namespace ringroom::codec::envelope
