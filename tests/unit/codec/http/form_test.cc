#include "codec/http/multipart.h"
#include "ringroom/request.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace ringroom {
namespace {

constexpr std::string_view boundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW";

Form read_form(std::string_view content_type, std::string body) {
  return Request("POST", "/", {{"Content-Type", content_type}}, std::move(body)).form();
}

Form read_multipart(std::string body) {
  return read_form("multipart/form-data; boundary=" + std::string(boundary), std::move(body));
}

std::string dashes() {
  return "--" + std::string(boundary);
}

std::string part(std::string_view head, std::string_view content) {
  return dashes() + "\r\n" + std::string(head) + "\r\n\r\n" + std::string(content) + "\r\n";
}

std::string file(std::string_view content) {
  return part(
      "Content-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n"
      "Content-Type: application/octet-stream",
      content);
}

TEST(Form, ReadsWhatABrowserSends) {
  const std::string bytes("\x00\xff\r\n--\r\n\x89PNG", 12);
  const Form form = read_multipart(
      part("Content-Disposition: form-data; name=\"title\"", "Caf\xc3\xa9\r\nau lait") +
      file(bytes) +
      part("Content-Disposition: form-data; name=\"none\"; filename=\"\"\r\n"
           "Content-Type: application/octet-stream",
           "") +
      dashes() + "--\r\n");
  ASSERT_EQ(form.error, "");
  ASSERT_EQ(form.fields.size(), 3U);
  EXPECT_EQ(form.fields[0].value, "Caf\xc3\xa9\r\nau lait");
  EXPECT_EQ(form.fields[0].content_type, "text/plain");
  EXPECT_FALSE(form.fields[0].is_file());
  EXPECT_EQ(form.fields[1].value, bytes);
  EXPECT_EQ(form.fields[1].filename, "a.bin");
  EXPECT_EQ(form.fields[1].content_type, "application/octet-stream");
  EXPECT_TRUE(form.fields[2].is_file());
  EXPECT_EQ(form.fields[2].value, "");
  EXPECT_EQ(form.find("file"), &form.fields[1]);
  EXPECT_EQ(form.find("absent"), nullptr);
}

TEST(Form, CutsPartsOnlyAtWholeDelimiters) {
  const std::string almost = "\r\n" + dashes();
  for (const std::string& content :
       {std::string("ends in\r\n--"), std::string("ends in\r\n----"), std::string("\r\n"),
        std::string("\r\n\r\n"), std::string("-"), almost + "x\r\n", almost + "-",
        "\n" + dashes() + "\n", almost.substr(0, almost.size() - 1), "\r" + almost + "\rx"}) {
    const Form form = read_multipart(file(content) + dashes() + "--");
    ASSERT_EQ(form.fields.size(), 1U) << content;
    EXPECT_EQ(form.fields[0].value, content);
  }
}

TEST(Form, TakesPreambleEpilogueAndPaddedDelimiters) {
  const Form form = read_multipart("preamble\r\n" + dashes() +
                                   " \t\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n" +
                                   dashes() + "--\r\nepilogue " + dashes());
  ASSERT_EQ(form.error, "");
  ASSERT_EQ(form.fields.size(), 1U);
  EXPECT_EQ(form.fields[0].value, "1");
}

TEST(Form, TakesAFormWithoutFields) {
  const Form form = read_multipart(dashes() + "--\r\n");
  EXPECT_EQ(form.error, "");
  EXPECT_TRUE(form.fields.empty());
}

TEST(Form, ReadsNamesAsBrowsersWriteThem) {
  struct Case {
    std::string_view sent;
    std::string_view name;
  };
  for (const Case& c :
       {Case{"\"a\"", "a"}, Case{"a", "a"}, Case{"\"a%22b\"", "a\"b"},
        Case{"\"a%0D%0ab\"", "a\r\nb"}, Case{"\"100%\"", "100%"}, Case{"\"a;b=c\"", "a;b=c"},
        Case{"\"a\\\"b\"", "a\"b"}, Case{"\"c:\\dir\\x\"", "c:\\dir\\x"}, Case{"\"\"", ""},
        Case{"\"caf\xc3\xa9\"", "caf\xc3\xa9"}, Case{"\"%20\"", "%20"}}) {
    const Form form = read_multipart(
        part("content-disposition: FORM-DATA; name=" + std::string(c.sent), "") + dashes() + "--");
    ASSERT_EQ(form.error, "") << c.sent;
    EXPECT_EQ(form.fields.at(0).name, c.name);
  }
}

TEST(Form, SaysWhatIsWrongWithABody) {
  const std::string good = file("x");
  const std::string end = dashes() + "--";
  EXPECT_EQ(read_multipart(good).error, "the body ends before the closing boundary");
  EXPECT_EQ(read_multipart(good + dashes()).error, "the body ends before the closing boundary");
  EXPECT_EQ(read_multipart(good + dashes() + "-").error,
            "the body ends before the closing boundary");
  EXPECT_EQ(read_multipart("").error, "the boundary of the Content-Type is not in the body");
  EXPECT_EQ(read_multipart("x" + end).error, "the boundary of the Content-Type is not in the body");
  const std::string_view no_name =
      "a part of the body has no valid Content-Disposition: form-data with a name";
  EXPECT_EQ(read_multipart(part("Content-Type: text/plain", "x") + end).error, no_name);
  EXPECT_EQ(read_multipart(part("Content-Disposition: attachment; name=a", "x") + end).error,
            no_name);
  EXPECT_EQ(read_multipart(part("Content-Disposition: form-data", "x") + end).error, no_name);
  EXPECT_EQ(read_multipart(dashes() + "\r\n\r\n" + end).error, no_name);
  EXPECT_EQ(read_multipart(good + part("Content-Disposition: form-data; name=a", "x") +
                           part("X: y", "") + end)
                .fields.size(),
            0U);
}

TEST(Form, BoundsPartHeadersAndFields) {
  const std::string end = dashes() + "--";
  const std::string disposition = "Content-Disposition: form-data; name=a";
  const std::string long_value(codec::http::part_head_bytes_max, 'v');
  EXPECT_NE(read_multipart(part(disposition + "\r\nX: " + long_value, "") + end).error, "");
  EXPECT_NE(
      read_multipart(part(disposition + "\r\n" + std::string(300, 'n') + ": v", "") + end).error,
      "");
  std::string fields;
  std::string pairs;
  for (std::size_t i = 0; i < codec::http::form_fields_max; ++i) {
    fields += part(disposition, "");
    pairs += "a=b&";
  }
  const std::string urlencoded = "application/x-www-form-urlencoded";
  EXPECT_EQ(read_multipart(fields + end).error, "");
  EXPECT_EQ(read_multipart(fields + part(disposition, "") + end).error,
            "the form has too many fields");
  EXPECT_EQ(read_form(urlencoded, pairs).fields.size(), codec::http::form_fields_max);
  EXPECT_EQ(read_form(urlencoded, pairs + "a").error, "the form has too many fields");
}

TEST(Form, WantsABoundaryAndAFormsContentType) {
  const std::string_view no_boundary = "the Content-Type has no boundary of 1 to 70 characters";
  EXPECT_EQ(read_form("multipart/form-data", "").error, no_boundary);
  EXPECT_EQ(read_form("multipart/form-data; boundary=", "").error, no_boundary);
  EXPECT_EQ(read_form("multipart/form-data; boundary=" + std::string(71, 'b'), "").error,
            no_boundary);
  EXPECT_EQ(read_form("Multipart/Form-Data; charset=x; BOUNDARY=\"a b\"", "--a b--").error, "");
  EXPECT_EQ(read_form("application/json", "{}").error, "the Content-Type is not that of a form");
  EXPECT_EQ(Request("POST", "/").form().error, "the Content-Type is not that of a form");
}

TEST(Form, ReadsUrlencodedBodies) {
  const Form form = read_form("application/x-www-form-urlencoded; charset=UTF-8",
                              "a=1&b=two+words%21&c&&=x&a=2&%C3%A9=%ff");
  ASSERT_EQ(form.error, "");
  ASSERT_EQ(form.fields.size(), 6U);
  EXPECT_EQ(form.find("a")->value, "1");
  EXPECT_EQ(form.find("b")->value, "two words!");
  EXPECT_EQ(form.find("c")->value, "");
  EXPECT_EQ(form.find("")->value, "x");
  EXPECT_EQ(form.fields[4].value, "2");
  EXPECT_EQ(form.find("\xc3\xa9")->value, "\xef\xbf\xbd");
  EXPECT_FALSE(form.fields[0].is_file());
}

}  // namespace
}  // namespace ringroom
