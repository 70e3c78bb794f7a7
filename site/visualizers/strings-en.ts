import type { View } from "./shell/selection.ts";

const s = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
const SMALL = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
const spelled = (count: number, one: string, many = `${one}s`) =>
  `${SMALL[count] ?? count} ${count === 1 ? one : many}`;
const range = (from: number, to: number) => (from === to ? `${from}` : `${from}–${to}`);

export const EN = {
  loading: "The picture is loading …",
  figure: (op: string, cell: string) => `Inside ${op}, called in ${cell}`,
  emptyTitle: (op: string) => `What ${op} does, one window at a time`,
  emptyText: "The picture is drawn from the cell's own run: its tensors, its result.",
  run: (cell: string) => `Run ${cell}`,
  running: "Running …",
  noRecords: (op: string, cell: string) => `${cell} has run, but it made no call of ${op}.`,
  gone: "The numbers of this run are no longer in memory. Run the cell again to see them.",
  failed: "The picture could not be drawn.",
  stale: (cell: string) => `${cell} has been edited since this run; the picture shows the run before.`,
  rerun: "Run again",
  calls: "Calls in this cell",
  call: (line: number, input: string, output: string) => `line ${line} · ${input} → ${output}`,
  callShort: (line: number) => `line ${line}`,

  views: "Views",
  view: {
    cell: "One window",
    channels: "Channels",
    filters: "Filters",
    size: "Size",
    compare: "Compare",
    backward: "Backward",
    window: "One window",
    edges: "Edges",
    modes: "Floor or ceil",
    shift: "Shift test",
  } satisfies Record<View, string>,

  first: "First step",
  prev: "Step back",
  play: "Play",
  pause: "Pause",
  next: "Next step",
  last: "Last step",
  scrub: "Step",
  stepOf: (step: number, steps: number) => `${step} of ${steps}`,
  speed: "Speed",
  help: "Keys",
  textView: "As text",
  close: "Close",

  input: "input",
  kernel: "kernel",
  weight: "weight",
  output: "output",
  products: "products",
  bias: "bias",
  sample: "Sample",
  channel: "Channel",
  filter: "Filter",
  rows: "rows",
  cols: "columns",
  row: "row",
  column: "column",
  axisRows: "Rows (height)",
  axisCols: "Columns (width)",
  padding: "padding",
  dtype: (name: string) => `dtype ${name}`,
  scaleLegend: (end: string) => `Colour from −${end} through 0 to ${end}`,
  magnifier: (name: string) => `${name}, magnified around the selection`,
  mapLabel: (name: string, rows: number, cols: number) =>
    `${name}, ${rows} × ${cols}, as a heat map; the magnifier below it can be walked with the arrow keys`,
  gridLabel: (name: string, rows: number, cols: number) => `${name}, ${rows} rows, ${cols} columns`,
  paddingCell: (row: number, col: number, value: string) => `padding, row ${row} column ${col}, counts as ${value}`,
  unreadCell: "no window reads this cell",
  enterEdit: "Press Enter to type another number",
  editCell: (name: string, row: number, col: number) => `${name}, row ${row} column ${col}`,

  equalsEngine: "= engine",
  equalsEngineLong: "The sum of these terms equals the number that the engine computed.",
  differs: (ours: string, engine: string) => `≠ engine: the terms give ${ours}, the engine ${engine}`,
  formula: "Formula",
  sumOf: "sum",
  runningSum: "running sum",
  noBias: "no bias",
  moreTerms: (count: number) => `… ${count} more`,
  allTerms: "All terms",
  fewerTerms: "Fewer terms",
  otherChannels: "other channels",
  channelSum: (c: number) => `channel ${c}`,
  partialOf: (done: number, of: number) => `${done} of ${of} channels added`,

  convSentence: (p: {
    at: string;
    value: string;
    rows: [number, number];
    cols: [number, number];
    products: number;
    channels: number;
    bias: string | null;
    padded: number;
    dilated: boolean;
  }) =>
    `Output[${p.at}] is ${p.value}: rows ${range(...p.rows)}, columns ${range(...p.cols)}${p.dilated ? " (with gaps, dilation)" : ""}, ${spelled(p.products, "product")}${p.channels > 1 ? ` over ${s(p.channels, "channel")}` : ""}${p.bias === null ? "" : `, bias ${p.bias}`}, ${p.padded === 0 ? "no padding" : `${p.padded} of them with padding zeros`}.`,
  channelsSentence: (p: { at: string; part: number; count: number; sum: string; bias: string | null }) =>
    p.part === 0
      ? `Output[${p.at}] starts at nothing: ${s(p.count, "channel")} will be added${p.bias === null ? "" : ", then the bias"}.`
      : p.part <= p.count
        ? `After ${p.part} of ${s(p.count, "channel")} the sum for output[${p.at}] is ${p.sum}.`
        : `Output[${p.at}] is ${p.sum}: ${s(p.count, "channel")}${p.bias === null ? ", no bias" : ` and the bias ${p.bias}`}. One number.`,
  filtersSentence: (o: number, filters: number, depth: number, size: string) =>
    `Filter ${o} of ${filters}: ${s(depth, "slice")} of ${size}, one for each input channel it reads, make one output map.`,
  sizeSentence: (p: { out: string; unread: number; rows: number; cols: number }) =>
    p.unread === 0
      ? `The output is ${p.out}; every input cell is read by some window.`
      : `The output is ${p.out}; ${s(p.unread, "input cell")} ${p.unread === 1 ? "is" : "are"} read by no window (${s(p.rows, "row")}, ${s(p.cols, "column")}).`,
  compareSentence: (a: string, b: string) => `The same input gives ${a} on the left and ${b} on the right.`,
  backwardSentence: (p: { at: string; dy: string; step: number; steps: number }) =>
    `Output[${p.at}] sends back ${p.dy}: ${p.step} of ${p.steps} output cells have painted their share.`,
  pixelRead: (p: { at: string; value: string; count: number; which: number; reader: string; weight: string | null }) =>
    `Input[${p.at}] = ${p.value} is read by ${s(p.count, "window")}; number ${p.which}, output[${p.reader}], reads it${p.weight === null ? "" : ` times ${p.weight}`}.`,
  pixelUnread: (at: string) => `Input[${at}]: no window reads this cell.`,

  maxSentence: (p: {
    row: number;
    col: number;
    value: string;
    at: [number, number] | null;
    flat: number;
    ties: number;
    clipped: string | null;
    edge: string;
    padded: number;
  }) =>
    `Output row ${p.row} column ${p.col}: ${p.clipped ? `window clipped to ${p.clipped} by the ${p.edge}; ` : ""}max ${p.value}${p.at ? ` at row ${p.at[0]} column ${p.at[1]}, flat index ${p.flat}` : ""}${p.ties > 1 ? ` (${p.ties === 2 ? "tie" : `${p.ties} tie`}, first wins)` : ""}${p.padded > 0 ? `; ${s(p.padded, "padding cell")} at −inf never win` : ""}.`,
  avgSentence: (p: {
    row: number;
    col: number;
    value: string;
    sum: string;
    divisor: number;
    clipped: string | null;
    edge: string;
    why: string;
  }) =>
    `Output row ${p.row} column ${p.col}: ${p.clipped ? `window clipped to ${p.clipped} by the ${p.edge}; ` : ""}${p.sum} divided by ${p.divisor} is ${p.value} (${p.why}).`,
  edgeRight: "right edge",
  edgeBottom: "bottom edge",
  edgeBoth: "bottom and right edges",
  divisorOverride: "divisor_override",
  divisorWithPad: "cells of the window, padding counted",
  divisorWithoutPad: "input cells only, padding not counted",

  modesSentence: (floor: string, ceil: string) => `Rounding down gives ${floor}, ceil_mode gives ${ceil}.`,
  shiftSentence: (p: { by: number; axis: string; changed: number; total: number; input: number; inputTotal: number }) =>
    `Rolled by ${s(p.by, "pixel")} along the ${p.axis}, ${p.changed} of ${s(p.total, "output number")} changed (of the input, ${p.input} of ${p.inputTotal}).`,

  unread: "unread",
  unreadCount: (count: number, total: number) => `${count} of ${total} input cells are read by no window`,
  allRead: "every input cell is read",
  window: (index: number) => `window ${index}`,
  clippedTo: (text: string) => `clipped to ${text}`,
  clipped: "clipped",
  ghostShort: (index: number, last: number, end: number) =>
    `Window ${index} would need position ${last}, but the last one, padding included, is ${end}: floor leaves it out.`,
  ghostLate: (o: number, stride: number, start: number, bound: number) =>
    `Window ${o}: (o−1)·s = ${o - 1}·${stride} = ${start} ≥ H+p = ${bound}, it would start past the input, so PyTorch drops it.`,
  ghostLateCount: (naive: number, real: number) => `Rounding up alone would count ${naive}; PyTorch keeps ${real}.`,
  keptCeil: (_o: number, start: number, bound: number) =>
    `Last window: (o−1)·s = ${start} < H+p = ${bound}, it starts inside, so it stays.`,
  ruler: (axis: string, size: number, out: number) => `${axis}: ${size} positions, ${s(out, "window")}`,
  dropRule: "window o is dropped",
  strideResolved: (value: string) => `stride = None → ${value}`,
  sameResolved: (value: string) => `padding = "same" → ${value}`,

  flip: "Flip the kernel",
  notPyTorch: "not PyTorch",
  flipNote:
    "The convolution of mathematics turns the kernel by 180° first. PyTorch does not; networks learn the turned weights all the same.",
  flippedOutput: "with the kernel flipped",

  compareWith: "Compare with",
  compareWhatIf: "the what-if below",
  compareNone: "There is only one call here. Change a setting below and its result stands beside the cell's own.",
  fromCell: "the cell's run",
  fromWhatIf: "what if",

  gradOf: (name: string) => `gradient of ${name}`,
  dySeed: "dy",
  dyMap: "ones in the whole map",
  dyOne: "one, in the selected cell",
  dyNote: "As output[n, o].sum().backward() sends it.",
  promoted: "PyTorch gives integer tensors no gradient; this is computed on a float32 copy.",
  painted: "painted so far",
  complete: "complete",
  noGradients: "The engine could not compute the gradients:",
  asking: "The engine is computing …",

  shiftBy: "Roll by",
  shiftAlong: "along",
  changedOutputs: (changed: number, total: number) => `${changed} of ${total} outputs changed`,
  original: "original",
  rolled: "rolled",
  changed: "changed",
  unchanged: "same",

  winner: "winner",
  index: "index",
  tie: (count: number) => `${count} tie: the first in row order wins`,
  dividedBy: "divided by",

  whatIf: "What if",
  whatIfNote: "Tried by the engine on copies; the cell's own tensors stay as they are.",
  whatIfOn: "What if: this is not the cell's own result.",
  reset: "Back to the cell's run",
  perAxis: "rows and columns apart",
  control: {
    op: "operation",
    kernel: "kernel",
    stride: "stride",
    padding: "padding",
    "padding-mode": "padding mode",
    dilation: "dilation",
    groups: "groups",
    "ceil-mode": "ceil_mode",
    "count-include-pad": "count_include_pad",
    divisor: "divisor_override",
  },
  inRows: (name: string) => `${name}, rows`,
  inCols: (name: string) => `${name}, columns`,
  less: (name: string) => `Less ${name}`,
  more: (name: string) => `More ${name}`,
  paddingNumber: "number",
  max: "max",
  avg: "average",
  none: "None",
  editNumbers: "Type numbers",
  editHint: "Every number of the input and the kernel is a field now. An empty field keeps its last value.",
  code: "As code",
  copy: "Copy",
  copied: "Copied",
  putInCell: "Put in cell",
  putDone: (cell: string) => `Written into ${cell}; run it to see.`,
  elsewhere: "The layer is built outside this cell, so the line can only be copied.",

  refused: "The engine refuses:",
  lastWorking: "Below is the last result that worked.",
  suggestion: "Nearest that works:",
  tooBig: (effective: number, padded: number) => `The kernel spans ${effective}, the padded axis has ${padded}.`,
  padTooBig: (padding: number, effective: number) =>
    `A window of ${effective} may lie at most half in the padding; ${padding} is more than ${effective} ÷ 2.`,
  groupsWhy: (groups: number, channels: number, filters: number) =>
    `${channels} channels and ${filters} filters must both divide into ${groups} equal groups.`,
  sameStrideWhy: "Padding “same” promises an output as large as the input; a stride above 1 breaks the promise.",
  numberWhy: (name: string) => `${name} is outside what the engine accepts.`,

  tableTerms: "Terms",
  tableWindows: "Windows",
  tableInput: "Input",
  tableOutput: "Output",
  tableKernel: "Kernel",
  colPosition: "kernel position",
  colInput: "input position",
  colValue: "value",
  colWeight: "weight",
  colProduct: "product",
  colRunning: "running sum",
  colChannel: "channel",
  colWhere: "where",
  where: { inside: "input", padding: "padding", beyond: "past the padding" },
  shapes: (input: string, weight: string | null, output: string) =>
    `Input ${input}${weight ? `, weight ${weight}` : ""}, output ${output}.`,

  keys: [
    ["← ↑ → ↓", "move the output cell; inside the input, the pixel"],
    ["i", "go into the input; r cycles through the windows that read the pixel"],
    [", .", "step back, step on"],
    ["Space", "play or pause"],
    ["[ ]", "previous, next channel"],
    ["PgUp PgDn", "previous, next sample"],
    ["Home End", "start, end of the row; with Ctrl of the grid"],
    ["Enter", "type another number into the cell"],
    ["f", "all terms of the formula"],
    ["t", "everything as text"],
    ["Esc", "out of the input, close what is open"],
  ] as [string, string][],
  poolKeys: [["c", "switch ceil_mode"]] as [string, string][],
  groupNote: (group: number, from: number, to: number) => `group ${group}: reads channels ${range(from, to)}`,
  filterRow: (o: number) => `filter ${o}`,
  mapOf: (o: number) => `map ${o}`,
  tooManyTiles: (shown: number, of: number) => `${shown} of ${of} input channels shown; the text view lists all.`,
};
