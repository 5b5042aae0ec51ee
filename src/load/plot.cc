#include "load/plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace ringroom::load {

namespace {

constexpr double width = 720;
constexpr double height = 280;
constexpr double left = 80;
constexpr double right = 32;
constexpr double top = 34;
constexpr double bottom = 44;

std::string number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", value);
  return text.data();
}

// The y axis: where a value lies between 0 (below) and 1, and what is written beside it.
class YAxis {
 public:
  explicit YAxis(const Plot& plot) : is_log_(plot.is_log_y) {
    double least = 0;
    double most = 0;
    for (const PlotSeries& series : plot.series) {
      for (const auto& [x, y] : series.points) {
        if (y <= 0) continue;
        least = least == 0 ? y : std::min(least, y);
        most = std::max(most, y);
      }
    }
    if (is_log_ && most > 0) {
      from_ = std::floor(std::log10(least));
      to_ = std::max(std::ceil(std::log10(most)), from_ + 1);
      for (double power = from_; power <= to_; ++power) ticks_.push_back(std::pow(10, power));
    } else {
      ticks_ = round_ticks(most);
      to_ = ticks_.back();
    }
  }

  const std::vector<double>& ticks() const { return ticks_; }
  double place(double value) const {
    const double scaled = is_log_ ? std::log10(value) : value;
    return (scaled - from_) / (to_ - from_);
  }

 private:
  bool is_log_;
  double from_ = 0;
  double to_ = 1;
  std::vector<double> ticks_;
};

double y_at(double place) {
  return height - bottom - place * (height - top - bottom);
}

std::string text_at(double x, double y, const char* anchor, const std::string& text) {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\">" +
         text + "</text>";
}

std::string line(double x1, double y1, double x2, double y2) {
  return "<line class=\"grid\" x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" +
         number(x2) + "\" y2=\"" + number(y2) + "\"/>";
}

}  // namespace

std::vector<double> round_ticks(double most) {
  if (most <= 0) return {0, 1};
  const double rough = most / 5;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power < rough) continue;
    step = factor * power;
    break;
  }
  std::vector<double> ticks = {0};
  while (ticks.back() < most * 0.999999) {
    ticks.push_back(static_cast<double>(ticks.size()) * step);
  }
  return ticks;
}

std::string svg(const Plot& plot) {
  const YAxis axis(plot);
  const double begin = plot.x_ticks.front().at;
  const double end = std::max(plot.x_ticks.back().at, begin + 1e-9);
  const auto x_at = [&](double x) {
    return left + (x - begin) / (end - begin) * (width - left - right);
  };
  std::string made = "<svg viewBox=\"0 0 " + number(width) + " " + number(height) +
                     "\" role=\"img\" aria-label=\"" + plot.title + "\">";
  made += "<text class=\"title\" x=\"" + number(left) + "\" y=\"18\">" + plot.title + "</text>";
  for (const double tick : axis.ticks()) {
    const double y = y_at(axis.place(tick));
    made += line(left, y, width - right, y) + text_at(left - 8, y + 4, "end", plot.y_text(tick));
  }
  for (const Tick& tick : plot.x_ticks) {
    made += text_at(x_at(tick.at), height - bottom + 18, "middle", tick.text);
  }
  for (const Tick& mark : plot.marks) {
    const double x = x_at(mark.at);
    made += "<g class=\"mark\">" + line(x, top, x, height - bottom) +
            text_at(x + 4, top + 11, "start", mark.text) + "</g>";
  }
  made += text_at((left + width - right) / 2, height - 6, "middle", plot.x_label);
  double legend = width - right;
  for (std::size_t i = plot.series.size(); i > 0; --i) {
    const PlotSeries& series = plot.series[i - 1];
    const std::string kind = "s" + std::to_string(i - 1);
    std::string points;
    for (const auto& [x, y] : series.points) {
      if (plot.is_log_y && y <= 0) continue;
      points += number(x_at(x)) + "," + number(y_at(axis.place(y))) + " ";
    }
    made += "<polyline class=\"" + kind + "\" points=\"" + points + "\"/>";
    if (plot.series.size() < 2) continue;
    made += "<text class=\"" + kind + "\" x=\"" + number(legend) +
            "\" y=\"18\" text-anchor=\"end\">" + series.name + "</text>";
    legend -= 14 + 8 * static_cast<double>(series.name.size());
  }
  return made + "</svg>";
}

}  // namespace ringroom::load
