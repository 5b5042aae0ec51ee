#include "codec/http/characters.h"
#include "codec/http/multipart.h"
#include "codec/http/url.h"
#include "ringroom/request.h"

#include <utility>

namespace ringroom {

namespace {

Form parse_urlencoded(std::string_view body) {
  Form form;
  std::string_view name;
  std::string_view value;
  while (codec::http::take_pair(body, name, value)) {
    if (form.fields.size() == codec::http::form_fields_max) {
      return {{}, "the form has too many fields"};
    }
    form.fields.push_back({codec::http::decode_form_text(name),
                           codec::http::decode_form_text(value), std::nullopt, "text/plain"});
  }
  return form;
}

}  // namespace

const FormField* Form::find(std::string_view name) const {
  for (const FormField& field : fields) {
    if (field.name == name) {
      return &field;
    }
  }
  return nullptr;
}

Form Request::form() const {
  const std::string_view content_type = header("content-type").value_or("");
  std::string_view rest = content_type;
  const std::string_view media_type = codec::http::take_element(rest, ';');
  if (codec::http::equals_ignoring_case(media_type, "application/x-www-form-urlencoded")) {
    return parse_urlencoded(body());
  }
  if (codec::http::equals_ignoring_case(media_type, "multipart/form-data")) {
    return codec::http::parse_multipart(content_type, body());
  }
  return {{}, "the Content-Type is not that of a form"};
}

}  // namespace ringroom
