#include "codec/http/multipart.h"

#include "codec/http/characters.h"

#include <optional>
#include <string>
#include <utility>

#include <Poco/Exception.h>
#include <Poco/MemoryStream.h>
#include <Poco/Net/MessageHeader.h>
#include <Poco/Net/NameValueCollection.h>

namespace ringroom::codec::http {

namespace {

// Poco reads the headers of parts, but the parts are cut apart here: its MultipartReader (1.11)
// takes a bare LF before the boundary for a delimiter, and adds a CR to content that ends in "--".

/// Where a part's content ends and the next one begins.
struct Delimiter {
  std::size_t begin = 0;  // of its CRLF
  std::size_t end = 0;    // behind its line
  bool is_last = false;
};

/// Whether what follows the boundary makes it a delimiter line (RFC 2046 §5.1.1).
std::optional<Delimiter> finish_delimiter(std::string_view body,
                                          std::size_t begin,
                                          std::size_t boundary_end) {
  if (body.substr(boundary_end).starts_with("--")) {
    return Delimiter{begin, boundary_end + 2, true};
  }
  const std::size_t line_end = body.find_first_not_of(" \t", boundary_end);
  if (line_end == std::string_view::npos || !body.substr(line_end).starts_with("\r\n")) {
    return std::nullopt;
  }
  return Delimiter{begin, line_end + 2, false};
}

/// `dashes` is CRLF, "--" and the boundary. The body's first line has no CRLF before it.
std::optional<Delimiter> find_delimiter(std::string_view body,
                                        std::size_t from,
                                        std::string_view dashes) {
  if (from == 0 && body.starts_with(dashes.substr(2))) {
    if (const auto delimiter = finish_delimiter(body, 0, dashes.size() - 2)) {
      return delimiter;
    }
  }
  for (std::size_t at = body.find(dashes, from); at != std::string_view::npos;
       at = body.find(dashes, at + 1)) {
    if (const auto delimiter = finish_delimiter(body, at, at + dashes.size())) {
      return delimiter;
    }
  }
  return std::nullopt;
}

/// Browsers write backslashes of a file's name as they are; Poco would take each for an escape.
std::string keep_backslashes(std::string_view header) {
  std::string kept;
  for (std::size_t i = 0; i < header.size(); ++i) {
    kept += header[i];
    if (header[i] != '\\') {
      continue;
    }
    const bool escapes = i + 1 < header.size() && (header[i + 1] == '"' || header[i + 1] == '\\');
    kept += escapes ? header[++i] : '\\';
  }
  return kept;
}

/// Browsers escape just these three in names (HTML standard, multipart/form-data).
std::string unescape_name(std::string_view name) {
  std::string plain;
  while (!name.empty()) {
    const std::string_view escape = name.substr(0, 3);
    const char c = escape == "%22"                       ? '"'
                   : equals_ignoring_case(escape, "%0d") ? '\r'
                   : equals_ignoring_case(escape, "%0a") ? '\n'
                                                         : '\0';
    plain += c != '\0' ? c : name.front();
    name.remove_prefix(c != '\0' ? 3 : 1);
  }
  return plain;
}

/// Name, filename and type from a part's head; nothing if it is not a field of a form.
std::optional<FormField> read_part_head(std::string_view head) {
  Poco::MemoryInputStream stream(head.data(), static_cast<std::streamsize>(head.size()));
  Poco::Net::MessageHeader header;
  header.read(stream);
  std::string disposition;
  Poco::Net::NameValueCollection parameters;
  Poco::Net::MessageHeader::splitParameters(keep_backslashes(header.get("Content-Disposition", "")),
                                            disposition, parameters);
  if (!equals_ignoring_case(disposition, "form-data") || !parameters.has("name")) {
    return std::nullopt;
  }
  FormField field;
  field.name = unescape_name(parameters.get("name"));
  if (parameters.has("filename")) {
    field.filename = unescape_name(parameters.get("filename"));
  }
  field.content_type = header.get("Content-Type", "text/plain");
  return field;
}

std::optional<FormField> read_part(std::string_view part) {
  const std::size_t head_end = part.substr(0, part_head_bytes_max).find("\r\n\r\n");
  if (head_end == std::string_view::npos) {
    return std::nullopt;
  }
  std::optional<FormField> field = read_part_head(part.substr(0, head_end + 4));
  if (field) {
    field->value = part.substr(head_end + 4);
  }
  return field;
}

Form parse_parts(std::string_view boundary, std::string_view body) {
  const std::string dashes = "\r\n--" + std::string(boundary);
  std::optional<Delimiter> delimiter = find_delimiter(body, 0, dashes);
  if (!delimiter) {
    return {{}, "the boundary of the Content-Type is not in the body"};
  }
  Form form;
  while (!delimiter->is_last) {
    const std::size_t begin = delimiter->end;
    delimiter = find_delimiter(body, begin, dashes);
    if (!delimiter) {
      return {{}, "the body ends before the closing boundary"};
    }
    if (form.fields.size() == form_fields_max) {
      return {{}, "the form has too many fields"};
    }
    std::optional<FormField> field = read_part(body.substr(begin, delimiter->begin - begin));
    if (!field) {
      return {{}, "a part of the body has no valid Content-Disposition: form-data with a name"};
    }
    form.fields.push_back(std::move(*field));
  }
  return form;
}

}  // namespace

Form parse_multipart(std::string_view content_type, std::string_view body) {
  try {
    std::string media_type;
    Poco::Net::NameValueCollection parameters;
    Poco::Net::MessageHeader::splitParameters(std::string(content_type), media_type, parameters);
    const std::string boundary = parameters.get("boundary", "");
    if (boundary.empty() || boundary.size() > 70) {
      return {{}, "the Content-Type has no boundary of 1 to 70 characters"};
    }
    return parse_parts(boundary, body);
  } catch (const Poco::Exception&) {
    return {{}, "the headers of a part are malformed"};
  }
}

}  // namespace ringroom::codec::http
