import { init, type LegendComponentOption, type LineSeriesOption } from "echarts";
import { formatSize } from "./cells.ts";
import { CONTENDERS } from "./contenders.ts";
import type { BenchResult, CellResult } from "./results.ts";
import { median } from "./statistics.ts";

const WIDTH = 960;
const HEIGHT = 460;
/** Between the size of one tick and the next. */
const SIZE_STEP = 4;
/** The plots, left to right; what is not measured is left out. */
const PLOTS = [
  { pattern: "push-pull", title: "PUSH to PULL, tcp" },
  { pattern: "pub-sub", title: "PUB to SUB, tcp" },
] as const;
type Plot = (typeof PLOTS)[number];

// Okabe and Ito's colours, which those can tell apart who do not see all of them.
const COLOURS: Readonly<Record<string, string>> = {
  zmtp: "#d55e00",
  "zmtp-batch": "#e69f00",
  "zeromq.js": "#009e73",
  libzmq: "#0072b2",
  net: "#7f7f7f",
};

/** The cells of one plot by size. Of several high-water marks, the lowest. */
export function cellsOf(cells: readonly CellResult[], { pattern }: Pick<Plot, "pattern">): CellResult[] {
  const bySize = new Map<number, CellResult>();
  for (const one of cells) {
    if (one.cell.pattern !== pattern || one.cell.transport !== "tcp") continue;
    const other = bySize.get(one.cell.size);
    if (other === undefined || one.cell.highWaterMark < other.cell.highWaterMark) {
      bySize.set(one.cell.size, one);
    }
  }
  return [...bySize.values()].sort((a, b) => a.cell.size - b.cell.size);
}

/** [bytes of a body, median of messages/s] of a contender, where it has figures. */
export function pointsOf(cells: readonly CellResult[], name: string): [size: number, rate: number][] {
  return cells.flatMap(({ cell, contenders }) => {
    const samples = contenders.find((one) => one.name === name)?.samples ?? [];
    return samples.length === 0 ? [] : [[cell.size, median(samples.map(({ rate }) => rate))]];
  });
}

/** The powers of a base that enclose the values. */
function enclose(values: readonly number[], base: number): { min: number; max: number } {
  const exponents = values.map((value) => Math.log(value) / Math.log(base));
  return {
    min: base ** Math.floor(Math.min(...exponents) + 1e-9),
    max: base ** Math.ceil(Math.max(...exponents) - 1e-9),
  };
}

/** A power of ten: 10 k, 100 M. */
function formatTick(rate: number): string {
  if (rate >= 1e6) return `${rate / 1e6} M`;
  return rate >= 1e3 ? `${rate / 1e3} k` : String(rate);
}

/** Messages/s by size of the body for all contenders, both logarithmic, as SVG. Null if there are no such cells. */
export function plotThroughput({ cells }: BenchResult): string | null {
  const plots = PLOTS.map((plot) => ({ ...plot, cells: cellsOf(cells, plot) })).filter(
    (plot) => plot.cells.length > 0,
  );
  if (plots.length === 0) return null;
  const series = plots.flatMap((plot, index) =>
    CONTENDERS.map(({ name, title }): LineSeriesOption => {
      const color = COLOURS[name] ?? "#000000";
      const data = pointsOf(plot.cells, name);
      const lineStyle = { width: 2.5, type: name === "net" ? ("dashed" as const) : ("solid" as const) };
      const place = { xAxisIndex: index, yAxisIndex: index };
      return { type: "line", name: title, data, color, lineStyle, symbol: "circle", symbolSize: 7, ...place };
    }).filter(({ data }) => data!.length > 0),
  );
  const points = series.flatMap(({ data }) => data as [number, number][]);
  const sizes = enclose(
    points.map(([size]) => size),
    SIZE_STEP,
  );
  const rates = enclose(
    points.map(([, rate]) => rate),
    10,
  );
  const legend: LegendComponentOption = {
    bottom: 8,
    itemGap: 28,
    data: [...new Set(series.map(({ name }) => `${name}`))],
  };
  const share = 100 / plots.length;
  const chart = init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height: HEIGHT });
  try {
    chart.setOption({
      animation: false,
      // Readers with a dark page would not see the axes otherwise.
      backgroundColor: "#ffffff",
      textStyle: { fontFamily: "sans-serif" },
      legend,
      series,
      title: plots.map(({ title }, index) => ({
        text: title,
        left: `${share * (index + 0.55)}%`,
        top: 12,
        textAlign: "center",
        textStyle: { fontSize: 15 },
      })),
      grid: plots.map((_, index) => ({
        left: `${share * index + 6}%`,
        width: `${share - 8}%`,
        top: 60,
        bottom: 90,
      })),
      xAxis: plots.map((_, index) => ({
        type: "log",
        logBase: SIZE_STEP,
        ...sizes,
        gridIndex: index,
        name: "bytes of a body",
        nameLocation: "middle",
        nameGap: 28,
        axisLabel: { formatter: formatSize, hideOverlap: true },
        splitLine: { lineStyle: { color: "#eeeeee" } },
      })),
      yAxis: plots.map((_, index) => ({
        type: "log",
        ...rates,
        gridIndex: index,
        name: "messages/s",
        axisLabel: {
          formatter: formatTick,
        },
        splitLine: { lineStyle: { color: "#dddddd" } },
      })),
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}
