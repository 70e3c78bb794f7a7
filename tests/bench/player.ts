/** One participant at work, in a page or in a process: started once, then asked for one piece of work after another. */
import { measure, type Timing } from "./measure.ts";
import { type Key, type Places, play } from "./participants.ts";
import type { Peer, WorkName } from "./works.ts";

let peer: Peer;

export async function start(key: Key, places: Places): Promise<string> {
  peer = await play(key, places);
  return peer.name;
}

/** @returns null where the library cannot do it, a sentence where it tried and failed */
export async function time(work: WorkName, budget: number, atMost?: number): Promise<Timing | string | null> {
  try {
    const run = await peer.prepare(work);
    return run && (await measure(run, budget, atMost));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
