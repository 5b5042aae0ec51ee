#include "server/plugins.h"

#include "ringroom/limits.h"
#include "shard/config.h"
#include "shard/router.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <string_view>

#include <cxxabi.h>
#include <dlfcn.h>

namespace ringroom::server {

namespace {

using Entrance = void (*)(void* plugin, std::size_t bytes);

std::string demangled(const std::string& symbol) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> readable(
      abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status), std::free);
  return status == 0 ? readable.get() : symbol;
}

// dlerror's text, with advice where a symbol is missing: the usual sign of other headers.
std::string why_not_loaded(const std::string& file) {
  const char* const said = dlerror();
  const std::string reason = said == nullptr ? "unknown reason" : said;
  constexpr std::string_view missing = "undefined symbol: ";
  const std::size_t at = reason.find(missing);
  if (at == std::string::npos) return "can't load " + file + ": " + reason;
  const std::string symbol = reason.substr(at + missing.size());
  return "can't load " + file + ": it needs " + demangled(symbol) +
         ", which this server (ringroom " RINGROOM_VERSION
         ") lacks; build it against this server's headers, and link what it uses beside them";
}

std::string differs(const char* what, const std::string& theirs, const std::string& ours) {
  return std::string(what) + " " + theirs + ", the server's is " + ours;
}

std::string differs(const char* what, std::uint32_t theirs, std::uint32_t ours) {
  return differs(what, std::to_string(theirs), std::to_string(ours));
}

// Puts what a plugin announces into `plugin`. Returns what is wrong.
std::string open_plugin(const std::string& file, detail::Plugin& plugin) {
  // A name without a slash would be looked for among the system's libraries.
  const std::string path = file.find('/') == std::string::npos ? "./" + file : file;
  void* const handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return why_not_loaded(file);
  const auto entrance = reinterpret_cast<Entrance>(dlsym(handle, "ringroom_plugin"));
  if (entrance == nullptr) {
    return file +
           " is no shared object of agents: it lacks ringroom_plugin, which "
           "#include <ringroom/ringroom.h> puts there";
  }
  entrance(&plugin, sizeof(plugin));
  const std::string difference = compare_abi(plugin.abi, detail::this_abi());
  if (!difference.empty()) {
    return file + " was built against another Ringroom: " + difference +
           "; build it again with this server's headers";
  }
  if (plugin.registrations == nullptr && plugin.routes == nullptr) {
    return file + " announces no class of agents and no route: RINGROOM_AGENT(X) does";
  }
  return {};
}

std::string check_options(const detail::AgentClassInfo& info) {
  if (!shard::can_be_sent(info.cors)) {
    return "class " + std::string(info.name) + " gives CORS headers that HTTP cannot carry";
  }
  const double hz = info.options.tick_hz;
  if (hz >= 0 && hz <= limits::tick_hz_max) return {};
  return "class " + std::string(info.name) + " asks for tick_hz " + std::to_string(hz) +
         "; it must be between 0 and " + std::to_string(static_cast<int>(limits::tick_hz_max));
}

// Adds classes as long as nothing is wrong.
class Gatherer {
 public:
  void add(const detail::Plugin& plugin, const std::string& origin) {
    for (auto* one = plugin.registrations; one != nullptr && error_.empty(); one = one->next) {
      add(one->info, origin);
    }
    // The last one announced stands first.
    const auto begin = routes_.end() - routes_.begin();
    for (auto* one = plugin.routes; one != nullptr && error_.empty(); one = one->next) {
      add(one->info, origin);
    }
    std::reverse(routes_.begin() + begin, routes_.end());
  }
  bool failed() const { return !error_.empty(); }
  void fail(std::string error) { error_ = std::move(error); }

  // In the order of their URLs.
  Classes take() {
    if (!failed()) check_renamed();
    Classes classes{{}, std::move(routes_), std::move(error_)};
    for (const auto& [segment, served] : by_segment_) classes.all.push_back(served.info);
    return classes;
  }

 private:
  struct Served {
    detail::AgentClassInfo info;
    std::string origin;
  };

  void add(const detail::AgentClassInfo& info, const std::string& origin) {
    const std::string segment = shard::url_segment(info.name);
    const auto [served, is_new] = by_segment_.try_emplace(segment, Served{info, origin});
    if (is_new) return fail(check_options(info));
    fail("/agents/" + segment + " would be both class " + std::string(served->second.info.name) +
         " of " + served->second.origin + " and class " + std::string(info.name) + " of " + origin +
         "; rename one");
  }

  void add(detail::RouteInfo route, const std::string& origin) {
    const auto path = shard::url_path(route.path);
    if (!path) return fail("the route '" + route.path + "' of " + origin + " is no path of a URL");
    route.path = *path;
    routes_.push_back(std::move(route));
  }

  // The rooms of one class can't go to two, and not while it is there.
  void check_renamed() {
    std::map<std::string_view, std::string_view> heirs;
    for (const auto& [segment, served] : by_segment_) {
      const std::string_view old = served.info.options.renamed_from;
      if (!old.empty()) heirs.try_emplace(old, served.info.name);
    }
    for (const auto& [segment, served] : by_segment_) {
      const std::string name(served.info.name);
      const std::string old(served.info.options.renamed_from);
      if (const auto heir = heirs.find(name); heir != heirs.end()) {
        return fail("class " + std::string(heir->second) + " is renamed_from " + name +
                    ", which is served too; take one of them away");
      }
      if (!old.empty() && heirs.at(old) != name) {
        return fail("both class " + std::string(heirs.at(old)) + " and class " + name +
                    " are renamed_from " + old + "; only one can have its rooms");
      }
    }
  }

  std::map<std::string, Served> by_segment_;
  std::vector<detail::RouteInfo> routes_;
  std::string error_;
};

}  // namespace

std::string compare_abi(const detail::Abi& theirs, const detail::Abi& ours) {
  if (theirs.interface_number != ours.interface_number) {
    return differs("its interface number is", theirs.interface_number, ours.interface_number);
  }
  const std::string_view version = theirs.version;
  const std::string_view json = theirs.json;
  if (version != ours.version) return differs("its version is", theirs.version, ours.version);
  if (json != ours.json) return differs("its nlohmann::json is", theirs.json, ours.json);
  const std::string compilers = std::string(" (it was compiled by ") + theirs.compiler +
                                ", the server by " + ours.compiler + ")";
  if (theirs.agent_bytes != ours.agent_bytes) {
    return differs("the size of its Agent is", theirs.agent_bytes, ours.agent_bytes) + compilers;
  }
  if (theirs.connection_bytes != ours.connection_bytes) {
    return differs("the size of its Connection is", theirs.connection_bytes,
                   ours.connection_bytes) +
           compilers;
  }
  if (theirs.request_bytes != ours.request_bytes) {
    return differs("the size of its Request is", theirs.request_bytes, ours.request_bytes) +
           compilers;
  }
  return {};
}

Classes gather_classes(const detail::Plugin& own, const std::vector<std::string>& files) {
  Gatherer gatherer;
  gatherer.add(own, "this program");
  for (const std::string& file : files) {
    detail::Plugin plugin{};
    std::string error = gatherer.failed() ? "" : open_plugin(file, plugin);
    if (!error.empty()) gatherer.fail(std::move(error));
    if (!gatherer.failed()) gatherer.add(plugin, file);
  }
  return gatherer.take();
}

}  // namespace ringroom::server
