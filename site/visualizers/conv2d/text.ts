/** The convolution views in words and tables, with the same numbers as the pictures. */
import type { ConvRecord } from "../../../engine/inspect/records.ts";
import { windowOf } from "../../../engine/inspect/windows.ts";
import { unreadCount } from "../shell/axis.ts";
import type { Context, TextTable } from "../shell/context.ts";
import { askGradients } from "../shell/gradients.ts";
import { at } from "../shell/tensor.ts";
import { comparedRecord } from "./extent.ts";
import { channelsPerGroup, convAxes, convReaders, convStep, convSteps, explainConv, weightAt } from "./state.ts";

/** One sentence for the current step. */
export function convSentence(context: Context<ConvRecord>): string {
  const { t, record, selection } = context;
  const { n, o, i, j, part } = context.shown;
  const g = record.geometry;
  const place = `${n},${o},${i},${j}`;
  const number = (value: number) => context.numbers.one(value, record.output.dtype);
  if (selection.view === "cell" && selection.row !== null && selection.col !== null) return pixelSentence(context);
  const why = explainConv(record, n, o, i, j);
  const biasText = record.inputs.bias ? context.numbers.one(why.bias, record.inputs.bias.dtype) : null;
  switch (selection.view) {
    case "channels": {
      const count = why.channels.length;
      const sum = part > count ? why.engine : why.partials.slice(0, part).reduce((a, b) => a + b, 0);
      return t.channelsSentence({ at: place, part, count, sum: number(sum), bias: biasText });
    }
    case "filters":
      return t.filtersSentence(o, g.o, channelsPerGroup(record), `${g.kernelH}×${g.kernelW}`);
    case "size": {
      const axes = convAxes(record);
      return t.sizeSentence({
        out: `${g.outH} × ${g.outW}`,
        unread: unreadCount(axes),
        rows: axes.rows.unread.length,
        cols: axes.cols.unread.length,
      });
    }
    case "compare": {
      const other = comparedRecord(context);
      const size = (shown: ConvRecord) => `${shown.geometry.outH} × ${shown.geometry.outW}`;
      return other ? t.compareSentence(size(context.own), size(other)) : t.compareNone;
    }
    case "backward": {
      const asked = askGradients(context);
      const dy = asked.state === "ready" ? at(asked.value.gradOutput, g.o, g.outH, g.outW, n, o, i, j) : 1;
      return t.backwardSentence({
        at: place,
        dy: number(dy),
        step: convStep(record, selection),
        steps: convSteps(record, selection),
      });
    }
    default: {
      const cells = windowOf(g, i, j);
      const first = cells[0]!;
      const last = cells[cells.length - 1]!;
      return t.convSentence({
        at: place,
        value: number(why.engine),
        rows: [first.row, last.row],
        cols: [first.col, last.col],
        products: cells.length * why.channels.length,
        channels: why.channels.length,
        bias: biasText,
        padded: cells.filter((cell) => !cell.inside).length * why.channels.length,
        dilated: g.dilationH > 1 || g.dilationW > 1,
      });
    }
  }
}

function pixelSentence(context: Context<ConvRecord>): string {
  const { t, record, selection } = context;
  const { n, c, o, row, col } = selection;
  const g = record.geometry;
  const readers = convReaders(record, selection);
  const place = `${n},${c},${row},${col}`;
  if (readers.length === 0) return t.pixelUnread(place);
  const which = selection.reader % readers.length;
  const reader = readers[which]!;
  return t.pixelRead({
    at: place,
    value: context.numbers.one(at(record.inputs.input, g.c, g.h, g.w, n, c, row!, col!), record.inputs.input.dtype),
    count: readers.length,
    which: which + 1,
    reader: `${n},${o},${reader.i},${reader.j}`,
    weight: context.numbers.one(weightAt(record, o, c, reader.u, reader.v), record.inputs.weight.dtype),
  });
}

/** Most output cells that the text view lists; beyond it the pickers and steps are quicker than a table. */
const MOST_LISTED = 100;

export function convTables(context: Context<ConvRecord>): TextTable[] {
  const { t, record } = context;
  const { n, o, i, j } = context.shown;
  const g = record.geometry;
  const why = explainConv(record, n, o, i, j);
  const { numbers } = context;
  const out = record.output.dtype;
  const terms = why.terms.flat();
  const rows = terms.map((term) => [
    String(term.c),
    `${term.u}, ${term.v}`,
    term.inside ? `${term.row}, ${term.col}` : `${term.row}, ${term.col} (${t.where.padding})`,
    numbers.one(term.x, record.inputs.input.dtype),
    numbers.one(term.w, record.inputs.weight.dtype),
    numbers.one(term.product, out),
    numbers.one(term.running, out),
  ]);
  const tables: TextTable[] = [
    {
      caption: `${t.tableTerms}: ${t.output}[${n}, ${o}, ${i}, ${j}] = ${numbers.one(why.engine, out)}`,
      columns: [t.colChannel, t.colPosition, t.colInput, t.colValue, t.colWeight, t.colProduct, t.colRunning],
      rows: rows.slice(0, MOST_LISTED),
    },
  ];
  const cells = g.outH * g.outW;
  if (cells <= MOST_LISTED)
    tables.push({
      caption: `${t.tableOutput}[${n}, ${o}]`,
      columns: ["", ...Array.from({ length: g.outW }, (_, k) => `${t.column} ${k}`)],
      rows: Array.from({ length: g.outH }, (_, r) => [
        `${t.row} ${r}`,
        ...Array.from({ length: g.outW }, (_, k) =>
          numbers.one(at(record.output, g.o, g.outH, g.outW, n, o, r, k), out),
        ),
      ]),
    });
  return tables;
}
