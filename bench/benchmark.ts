/** One subject in one round. */
export interface Sample {
  readonly subject: string;
  readonly round: number;
  readonly values: Readonly<Record<string, number>>;
}

export interface Benchmark {
  readonly name: string;
  readonly title: string;
  /** The value that ratios are made of: more is better. */
  readonly measure: string;
  /** The subject that the others are compared with; absent where subjects are different things. */
  readonly ours?: string;
  run(options: BenchmarkOptions): Promise<readonly Sample[]>;
}

export interface BenchmarkOptions {
  readonly rounds: number;
  /** Requests of one round of one subject. */
  readonly requests: number;
  /** Length of the benchmarks that look at what time does. */
  readonly minutes: number;
  /** For people, while it runs. */
  readonly progress: (text: string) => void;
}

export interface Row {
  readonly subject: string;
  /** Of all rounds. */
  readonly medians: Readonly<Record<string, number>>;
  /** Ours divided by this subject's, of the medians of the measure. */
  readonly oursRatio?: number;
}

export interface Report {
  readonly name: string;
  readonly title: string;
  readonly measure: string;
  readonly rows: readonly Row[];
  readonly samples: readonly Sample[];
}

export async function report(benchmark: Benchmark, options: BenchmarkOptions): Promise<Report> {
  const { name, title, measure, ours } = benchmark;
  const samples = await benchmark.run(options);
  const subjects = [...new Set(samples.map((sample) => sample.subject))];
  const medians = new Map(subjects.map((subject) => [subject, mediansOf(samples, subject)]));
  const rows = subjects.map((subject) => {
    const values = medians.get(subject) ?? {};
    if (ours === undefined) return { subject, medians: values };
    const own = medians.get(ours)?.[measure] ?? 0;
    return { subject, medians: values, oursRatio: round(own / (values[measure] ?? 0), 3) };
  });
  return { name, title, measure, rows, samples };
}

export function formatReport({ title, measure, rows }: Report): string {
  const columns = Object.keys(rows[0]?.medians ?? {});
  const hasRatios = rows.some(({ oursRatio }) => oursRatio !== undefined);
  const table = [
    ["subject", ...columns, ...(hasRatios ? ["ours / subject"] : [])],
    ...rows.map(({ subject, medians, oursRatio }) => [
      subject,
      ...columns.map((column) => String(medians[column] ?? "")),
      ...(oursRatio === undefined ? [] : [oursRatio.toFixed(2)]),
    ]),
  ];
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  "),
  );
  return `${title}\n(medians of the rounds${hasRatios ? `; ratio of ${measure}` : ""})\n${lines.join("\n")}`;
}

function mediansOf(samples: readonly Sample[], subject: string): Record<string, number> {
  const own = samples.filter((sample) => sample.subject === subject);
  const names = Object.keys(own[0]?.values ?? {});
  return Object.fromEntries(
    names.map((name) => [name, round(median(own.map(({ values }) => values[name] ?? Number.NaN)), 2)]),
  );
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
