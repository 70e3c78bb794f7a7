/** Text of an input field that leaves alone what somebody is typing: a picture is redrawn at every move of the pointer. */
import { noChange } from "lit-html";
import {
  Directive,
  directive,
  type ElementPart,
  type PartInfo,
  PartType,
  type PropertyPart,
} from "lit-html/directive.js";

class FieldValue extends Directive {
  #shown: string | null = null;

  constructor(info: PartInfo) {
    super(info);
    if (info.type !== PartType.PROPERTY) throw new Error("fieldValue() stands for the value of a field");
  }

  override render(value: string): unknown {
    return value;
  }

  override update(part: PropertyPart | ElementPart, [value]: [string]): unknown {
    const field = part.element as HTMLInputElement;
    const typing = field === document.activeElement && value === this.#shown;
    this.#shown = value;
    if (!typing && field.value !== value) field.value = value;
    return noChange;
  }
}

/** `.value=${fieldValue(text)}`: sets the field, also after it was typed in, but not while it has the focus and text stays. */
export const fieldValue = directive(FieldValue);
