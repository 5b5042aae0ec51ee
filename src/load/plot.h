// Plot: a line chart as SVG, with axes and a legend, coloured by the classes of the page's style
// sheet. A pure function of its values.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace ringroom::load {

struct PlotSeries {
  std::string name;
  std::vector<std::pair<double, double>> points;
};

struct Tick {
  double at = 0;
  std::string text;
};

struct Plot {
  std::string title;
  std::string x_label;
  bool is_log_y = false;      ///< points that are not positive are left out then
  std::vector<Tick> x_ticks;  ///< the first and the last are the ends of the axis
  std::function<std::string(double)> y_text;
  std::vector<PlotSeries> series;
  std::vector<Tick> marks = {};  ///< lines across, where something of this name begins
};

std::string svg(const Plot& plot);

/// Ends and steps of an axis from 0 to at least `most`, at round numbers.
std::vector<double> round_ticks(double most);

}  // namespace ringroom::load
