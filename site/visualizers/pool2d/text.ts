/** The pooling views in words and tables, with the same numbers as the pictures. */
import type { PoolRecord } from "../../../engine/inspect/records.ts";
import { unreadCount } from "../shell/axis.ts";
import type { Context, TextTable } from "../shell/context.ts";
import { askGradients } from "../shell/gradients.ts";
import { at } from "../shell/tensor.ts";
import { otherMode } from "./edges.ts";
import { differing, shiftedRecord } from "./routes.ts";
import { explainPool, poolAxes, poolReaders, poolStep, poolSteps, rollInput } from "./state.ts";
import { candidatesText, divisorWhy } from "./window.ts";

export function poolSentence(context: Context<PoolRecord>): string {
  const { t, record, selection } = context;
  const g = record.geometry;
  const { n, c, i, j } = context.shown;
  if (selection.view === "window" && selection.row !== null && selection.col !== null) return pixelSentence(context);
  switch (selection.view) {
    case "edges": {
      const axes = poolAxes(record);
      return t.sizeSentence({
        out: `${g.outH} × ${g.outW}`,
        unread: unreadCount(axes),
        rows: axes.rows.unread.length,
        cols: axes.cols.unread.length,
      });
    }
    case "modes": {
      const other = otherMode(context);
      if (other.state !== "ready") return t.asking;
      const size = (shown: PoolRecord) => `${shown.geometry.outH} × ${shown.geometry.outW}`;
      return record.attrs.ceilMode
        ? t.modesSentence(size(other.value), size(record))
        : t.modesSentence(size(record), size(other.value));
    }
    case "backward": {
      const asked = askGradients(context);
      const dy = asked.state === "ready" ? at(asked.value.gradOutput, g.c, g.outH, g.outW, n, c, i, j) : 1;
      const dtype = asked.state === "ready" ? asked.value.gradOutput.dtype : "float32";
      const text = context.numbers.one(dy, dtype);
      return t.backwardSentence({
        at: `${n},${c},${i},${j}`,
        dy: text,
        step: poolStep(record, selection),
        steps: poolSteps(record),
      });
    }
    case "shift": {
      const shifted = shiftedRecord(context);
      if (shifted.state !== "ready") return t.asking;
      const source = record.inputs.input.data;
      return t.shiftSentence({
        by: selection.shiftBy,
        axis: selection.shiftAxis === "rows" ? t.rows : t.cols,
        changed: differing(record.output.data, shifted.value.output.data),
        total: record.output.data.length,
        input: differing(source, rollInput(record, selection.shiftBy, selection.shiftAxis)),
        inputTotal: source.length,
      });
    }
    default:
      return windowSentence(context, n, c, i, j);
  }
}

function windowSentence(context: Context<PoolRecord>, n: number, c: number, i: number, j: number): string {
  const { t, record } = context;
  const g = record.geometry;
  const why = explainPool(record, n, c, i, j);
  const clipped = why.clipped ? `${why.clipped.rows}×${why.clipped.cols}` : null;
  const short = {
    rows: (why.clipped?.rows ?? g.kernelH) < g.kernelH,
    cols: (why.clipped?.cols ?? g.kernelW) < g.kernelW,
  };
  const edge = short.rows && short.cols ? t.edgeBoth : short.rows ? t.edgeBottom : t.edgeRight;
  const value = context.numbers.one(why.engine, record.output.dtype);
  if (record.op === "max_pool2d")
    return t.maxSentence({
      row: i,
      col: j,
      value,
      at: why.winner ? [why.winner.row, why.winner.col] : null,
      flat: why.winner?.flat ?? -1,
      ties: why.ties,
      clipped,
      edge,
      padded: why.candidates.filter((cell) => cell.place === "padding").length,
    });
  return t.avgSentence({
    row: i,
    col: j,
    value,
    sum: context.numbers.one(why.sum, record.inputs.input.dtype),
    divisor: why.divisor,
    clipped,
    edge,
    why: divisorWhy(context, record),
  });
}

function pixelSentence(context: Context<PoolRecord>): string {
  const { t, record, selection } = context;
  const { n, c, row, col } = selection;
  const g = record.geometry;
  const place = `${n},${c},${row},${col}`;
  const readers = poolReaders(record, selection);
  if (readers.length === 0) return t.pixelUnread(place);
  const which = selection.reader % readers.length;
  const reader = readers[which]!;
  return t.pixelRead({
    at: place,
    value: context.numbers.one(at(record.inputs.input, g.c, g.h, g.w, n, c, row!, col!), record.inputs.input.dtype),
    count: readers.length,
    which: which + 1,
    reader: `${n},${c},${reader.i},${reader.j}`,
    weight: null,
  });
}

/** Most output cells that the text view lists. */
const MOST_LISTED = 100;

export function poolTables(context: Context<PoolRecord>): TextTable[] {
  const { t, record } = context;
  const { n, c, i, j } = context.shown;
  const g = record.geometry;
  const why = explainPool(record, n, c, i, j);
  const text = candidatesText(context, why, record.inputs.input.dtype);
  const tables: TextTable[] = [
    {
      caption: `${t.tableTerms}: ${t.output}[${n}, ${c}, ${i}, ${j}] = ${context.numbers.one(why.engine, record.output.dtype)}`,
      columns: [t.colPosition, t.colInput, t.colValue, t.colWhere],
      rows: why.candidates.map((cell, k) => [
        `${cell.u}, ${cell.v}`,
        `${cell.row}, ${cell.col}`,
        cell.place === "beyond" ? "" : text[k]!,
        cell.wins ? `${t.where.inside}, ${t.winner}` : t.where[cell.place],
      ]),
    },
  ];
  if (g.outH * g.outW <= MOST_LISTED)
    tables.push({
      caption: `${t.tableOutput}[${n}, ${c}]`,
      columns: ["", ...Array.from({ length: g.outW }, (_, k) => `${t.column} ${k}`)],
      rows: Array.from({ length: g.outH }, (_, row) => [
        `${t.row} ${row}`,
        ...Array.from({ length: g.outW }, (_, col) =>
          context.numbers.one(at(record.output, g.c, g.outH, g.outW, n, c, row, col), record.output.dtype),
        ),
      ]),
    });
  return tables;
}
