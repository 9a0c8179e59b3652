# SPDX-License-Identifier: GPL-3.0-or-later
# Writes stations.csv: awk -f stations.awk > stations.csv
# Random numbers of its own (Park and Miller's generator), so that every awk writes the same file.
function uniform() { seed = (16807 * seed) % 2147483647; return seed / 2147483647 }
function normal() { return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform()) }
BEGIN {
  seed = 20240229
  print "day,station,level,flow,rain"
  n = split("upper lower mouth", station, " ")
  for (k = 1; k <= n; k++) {
    store = 2 + k
    for (day = 1; day <= 160; day++) {
      rain = uniform() < 0.3 ? -4 * log(uniform()) : 0
      store = 0.92 * store + 0.3 * rain + 0.1 * normal()
      level = sprintf("%.3f", store + 0.05 * normal())
      flow = sprintf("%.2f", 3 * k + 1.5 * store * store / (4 + store) + 0.2 * normal())
      if (uniform() < 0.05) level = ""
      if (uniform() < 0.03) flow = -9999
      printf "%d,%s,%s,%s,%.1f\n", day, station[k], level, flow, rain
    }
  }
}
