/** The what-if bar: settings of the call, tried by the engine on copies, with the code that would make them real. */
import { html, nothing, type TemplateResult } from "lit-html";
import { live } from "lit-html/directives/live.js";
import { describeAxis } from "./axis.ts";
import type { Context } from "./context.ts";
import { fieldValue } from "./field.ts";
import { ruler } from "./rulers.ts";
import { divisors, type Pair, pairText, type Settings, type Trouble } from "./whatif.ts";

export interface ControlActions {
  change(settings: Settings): void;
  reset(): void;
  setPerAxis(on: boolean): void;
  setEditing(on: boolean): void;
  copy(code: string): void;
  put(source: string): void;
}

export interface ControlState {
  perAxis: boolean;
  /** The learner's own call rewritten, or the engine's line where it stands elsewhere. */
  code: string | null;
  source: string | null;
  copied: boolean;
  put: boolean;
  cellId: string;
}

type PairName = "kernel" | "stride" | "padding" | "dilation";

export function controls(context: Context, state: ControlState, actions: ControlActions): TemplateResult {
  const { t, whatIf, own } = context;
  const { settings } = whatIf;
  const conv = own.op === "conv2d";
  const max = settings.op === "max_pool2d";
  const set = (patch: Partial<Settings>) => actions.change({ ...settings, ...patch });
  const pair = (name: PairName, value: Pair, disabled = false) =>
    pairField(context, state, name, value, disabled, (next) => set({ [name]: next }));
  const padding: Pair =
    typeof settings.padding === "string" ? [own.geometry.padTop, own.geometry.padLeft] : settings.padding;
  return html`<div class="sv-controls" role="group" aria-label=${t.whatIf}>
    ${
      conv
        ? nothing
        : html`<label class="sv-field"><span>${t.control.op}</span>
            <select data-control="op" @change=${(event: Event) => set({ op: (event.target as HTMLSelectElement).value as Settings["op"], dilation: (event.target as HTMLSelectElement).value === "avg_pool2d" ? [1, 1] : settings.dilation })}>
              <option value="max_pool2d" ?selected=${max}>${t.max}</option>
              <option value="avg_pool2d" ?selected=${!max}>${t.avg}</option>
            </select></label>`
    }
    ${pair("kernel", settings.kernel)}
    ${
      conv || settings.stride !== null
        ? pair("stride", settings.stride ?? settings.kernel)
        : html`<div class="sv-field"><span>${t.control.stride}</span>
            <button type="button" class="sv-quiet" data-control="stride-none" @click=${() => set({ stride: [...settings.kernel] as Pair })}>${t.none} → ${pairText(settings.kernel)}</button></div>`
    }
    ${pair("padding", padding, typeof settings.padding === "string")}
    ${
      conv
        ? html`<label class="sv-field"><span>${t.control["padding-mode"]}</span>
            <select data-control="padding-mode" @change=${(event: Event) => {
              const mode = (event.target as HTMLSelectElement).value;
              set({ padding: mode === "same" || mode === "valid" ? mode : [0, 0] });
            }}>
              <option value="number" ?selected=${typeof settings.padding !== "string"}>${t.paddingNumber}</option>
              <option value="same" ?selected=${settings.padding === "same"}>same</option>
              <option value="valid" ?selected=${settings.padding === "valid"}>valid</option>
            </select></label>`
        : nothing
    }
    ${conv || max ? pair("dilation", settings.dilation) : nothing}
    ${
      conv && own.geometry.c > 1
        ? html`<label class="sv-field"><span>${t.control.groups}</span>
            <select data-control="groups" @change=${(event: Event) => set({ groups: Number((event.target as HTMLSelectElement).value) })}>
              ${divisors(own.geometry.c).map((d) => html`<option value=${d} ?selected=${d === settings.groups}>${d}</option>`)}
            </select></label>`
        : nothing
    }
    ${
      conv
        ? nothing
        : html`<label class="sv-check"><input type="checkbox" data-control="ceil-mode" .checked=${live(settings.ceilMode)} @change=${(event: Event) => set({ ceilMode: (event.target as HTMLInputElement).checked })} /><span>ceil_mode</span></label>
            ${
              max
                ? nothing
                : html`<label class="sv-check"><input type="checkbox" data-control="count-include-pad" .checked=${live(settings.countIncludePad)} @change=${(event: Event) => set({ countIncludePad: (event.target as HTMLInputElement).checked })} /><span>count_include_pad</span></label>
                    <label class="sv-field"><span>divisor_override</span><input type="number" inputmode="numeric" data-control="divisor" placeholder=${t.none} .value=${fieldValue(settings.divisor === null ? "" : String(settings.divisor))} @change=${(
                      event: Event,
                    ) => {
                      const text = (event.target as HTMLInputElement).value.trim();
                      set({ divisor: text === "" ? null : Math.trunc(Number(text)) });
                    }} /></label>`
            }`
    }
    <label class="sv-check"><input type="checkbox" data-control="per-axis" .checked=${live(state.perAxis)} @change=${(event: Event) => actions.setPerAxis((event.target as HTMLInputElement).checked)} /><span>${t.perAxis}</span></label>
    <label class="sv-check"><input type="checkbox" data-control="edit" .checked=${live(context.editing)} @change=${(event: Event) => actions.setEditing((event.target as HTMLInputElement).checked)} /><span>${t.editNumbers}</span></label>
  </div>
  ${context.editing ? html`<p class="sv-note">${t.editHint}</p>` : nothing}`;
}

/** One number for both axes, or one for each; an empty field keeps the last value. */
function pairField(
  context: Context,
  state: ControlState,
  name: PairName,
  value: Pair,
  disabled: boolean,
  change: (next: Pair) => void,
): TemplateResult {
  const { t } = context;
  const label = t.control[name];
  const split = state.perAxis || value[0] !== value[1];
  const field = (axis: 0 | 1) => {
    const axisLabel = split ? (axis === 0 ? t.inRows(label) : t.inCols(label)) : label;
    const put = (next: number) =>
      change(split ? ((axis === 0 ? [next, value[1]] : [value[0], next]) as Pair) : [next, next]);
    const control = axis === 0 ? name : `${name}-w`;
    return html`<span class="sv-stepper">
      <button type="button" tabindex="-1" aria-label=${t.less(axisLabel)} ?disabled=${disabled} @click=${() => put(value[axis] - 1)}>−</button>
      <input
        type="number"
        inputmode="numeric"
        data-control=${control}
        aria-label=${axisLabel}
        ?disabled=${disabled}
        .value=${fieldValue(String(value[axis]))}
        @change=${(event: Event) => {
          const field = event.target as HTMLInputElement;
          const next = Number(field.value);
          if (field.value.trim() === "" || !Number.isFinite(next)) field.value = String(value[axis]);
          else put(Math.trunc(next));
        }}
      />
      <button type="button" tabindex="-1" aria-label=${t.more(axisLabel)} ?disabled=${disabled} @click=${() => put(value[axis] + 1)}>+</button>
    </span>`;
  };
  return html`<div class="sv-field"><span>${label}</span><span class="sv-pairfield">${field(0)}${split ? html`<i aria-hidden="true">×</i>${field(1)}` : nothing}</span></div>`;
}

/** What the engine made of the tried settings: its own error with a picture of why, or the line of code. */
export function whatIfResult(
  context: Context,
  state: ControlState,
  actions: ControlActions,
): TemplateResult | typeof nothing {
  const { t, whatIf } = context;
  const { answer, diagnosis } = whatIf;
  if (answer === null) return nothing;
  if (!answer.ok)
    return html`<div class="sv-refusal" role="alert" data-part="error">
      <p>${t.refused}</p>
      <pre>${answer.error.name}: ${answer.error.message}</pre>
      ${
        diagnosis
          ? html`<div class="sv-why">${troublePicture(context, diagnosis.trouble)}</div>
              <p>
                ${t.suggestion}
                <button type="button" class="sv-button" data-action="suggestion" @click=${() => actions.change(diagnosis.suggestion)}>${suggestionText(context, diagnosis.suggestion)}</button>
              </p>`
          : nothing
      }
      <button type="button" class="sv-quiet" data-action="reset" @click=${actions.reset}>${t.reset}</button>
    </div>`;
  return html`<div class="sv-tried" data-part="what-if">
    <p><strong>${t.whatIfOn}</strong> <span>${t.whatIfNote}</span> <button type="button" class="sv-quiet" data-action="reset" @click=${actions.reset}>${t.reset}</button></p>
    ${
      state.code
        ? html`<div class="sv-code">
            <pre data-part="code"><code>${state.code}</code></pre>
            <button type="button" class="sv-button" data-action="copy" @click=${() => actions.copy(state.code!)}>${state.copied ? t.copied : t.copy}</button>
            ${
              state.source
                ? html`<button type="button" class="sv-button" data-action="put" @click=${() => actions.put(state.source!)}>${t.putInCell}</button>`
                : html`<span class="sv-aside">${t.elsewhere}</span>`
            }
          </div>`
        : nothing
    }
  </div>`;
}

function suggestionText(context: Context, settings: Settings): string {
  const { own, t } = context;
  const before = context.whatIf.settings;
  const parts: string[] = [];
  for (const name of ["kernel", "stride", "padding", "dilation"] as const) {
    const next = settings[name];
    if (JSON.stringify(next) === JSON.stringify(before[name])) continue;
    parts.push(`${t.control[name]} = ${next === null ? t.none : typeof next === "string" ? next : pairText(next)}`);
  }
  if (settings.groups !== before.groups) parts.push(`${t.control.groups} = ${settings.groups}`);
  if (settings.divisor !== before.divisor) parts.push(`divisor_override = ${settings.divisor ?? t.none}`);
  return parts.join(", ") || own.op;
}

/** The picture of why: the kernel's span against the axis, the padding against half a window, lanes that do not divide. */
function troublePicture(context: Context, trouble: Trouble): TemplateResult {
  const { t, own, whatIf } = context;
  switch (trouble.kind) {
    case "kernel-too-big": {
      const k = trouble.axis === "rows" ? 0 : 1;
      const pad = typeof whatIf.settings.padding === "string" ? 0 : whatIf.settings.padding[k];
      return html`${overshoot(context, trouble.size, pad, whatIf.settings.kernel[k], whatIf.settings.dilation[k], trouble.axis)}
        <p>${t.tooBig(trouble.effective, trouble.padded)}</p>`;
    }
    case "padding-too-big": {
      const k = trouble.axis === "rows" ? 0 : 1;
      const size = k === 0 ? own.geometry.h : own.geometry.w;
      return html`${overshoot(context, size, trouble.padding, whatIf.settings.kernel[k], whatIf.settings.dilation[k], trouble.axis)}
        <p>${t.padTooBig(trouble.padding, trouble.effective)}</p>`;
    }
    case "groups":
      return html`<div class="sv-lanes" aria-hidden="true">
          ${[trouble.channels, trouble.filters].map(
            (count) =>
              html`<div>${Array.from({ length: count }, (_, k) => html`<i data-odd=${k >= Math.floor(count / trouble.groups) * trouble.groups}></i>`)}</div>`,
          )}
        </div>
        <p>${t.groupsWhy(trouble.groups, trouble.channels, trouble.filters)}</p>`;
    case "same-stride":
      return html`<p>${t.sameStrideWhy}</p>`;
    default:
      return html`<p>${t.numberWhy(t.control[trouble.control])}</p>`;
  }
}

function overshoot(
  context: Context,
  size: number,
  padding: number,
  kernel: number,
  dilation: number,
  axis: "rows" | "cols",
): TemplateResult {
  const name = axis === "rows" ? context.t.axisRows : context.t.axisCols;
  const model = describeAxis({
    size,
    kernel,
    stride: Math.max(1, kernel),
    padBefore: padding,
    padAfter: padding,
    dilation,
    out: 1,
    ceil: false,
  });
  return ruler(context, model, { current: 0, name, id: `${context.uid}-why` });
}
