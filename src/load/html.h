// html: a result as one page with its plots, which needs nothing else: no script, no font, no
// picture from anywhere. A pure function over the JSON of a result.
#pragma once

#include <ringroom/json.h>

#include <string>

namespace ringroom::load {

std::string html_page(const json& result);

}  // namespace ringroom::load
