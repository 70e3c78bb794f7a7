/**
 * A student's work: edited cells, verdicts and progress, in IndexedDB under course/lesson/cell. Where the browser keeps
 * nothing (private windows, blocked storage, a full disk), the same interface works from memory until the page closes.
 */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";

export interface Work {
  source: string;
  /** starterHash of the lesson's own text when the student began to change it. */
  starter: string;
  /** Milliseconds since 1970. */
  savedAt: number;
}

export interface Progress {
  /** Ids of cells that ran to the end at least once. */
  ran: string[];
  /** Of exercises, predictions and quizzes by id; "pass", "fail" or what the element keeps. */
  verdicts: Record<string, string>;
  /** Number of cells of the lesson when this was written. */
  cells: number;
  savedAt: number;
}

export interface Store {
  /** False when nothing outlives the page. */
  readonly persistent: boolean;
  /** `key` is "course/lesson/cell" (see workKey). */
  getWork(key: string): Promise<Work | undefined>;
  putWork(key: string, work: Work): Promise<void>;
  deleteWork(key: string): Promise<void>;
  /** Work in all cells of "course/lesson", by cell. */
  worksOf(lesson: string): Promise<Map<string, Work>>;
  getProgress(lesson: string): Promise<Progress | undefined>;
  /** Reads, changes and writes in one transaction, so that two elements never undo each other. */
  updateProgress(lesson: string, change: (progress: Progress) => Progress): Promise<Progress>;
  deleteProgress(lesson: string): Promise<void>;
  allProgress(): Promise<Map<string, Progress>>;
}

export const workKey = (lesson: string, cell: string): string => `${lesson}/${cell}`;

interface Schema extends DBSchema {
  work: { key: string; value: Work };
  progress: { key: string; value: Progress };
}

const EMPTY: Progress = { ran: [], verdicts: {}, cells: 0, savedAt: 0 };

let opened: Promise<Store> | undefined;

/** The one store of the page. Never rejects. */
export function openStore(): Promise<Store> {
  opened ??= openDatabase().then(
    (database) => new DatabaseStore(database),
    () => new MemoryStore(),
  );
  return opened;
}

async function openDatabase(): Promise<IDBPDatabase<Schema>> {
  const database = await openDB<Schema>("stride", 1, {
    upgrade(db) {
      db.createObjectStore("work");
      db.createObjectStore("progress");
    },
  });
  // Some browsers open a database that then refuses every transaction: find out now, not at the first keystroke.
  await database.get("progress", "probe");
  return database;
}

class DatabaseStore implements Store {
  readonly #database: IDBPDatabase<Schema>;
  /** Takes over when a write fails later on: a full disk must not lose what is on the page. */
  readonly #memory = new MemoryStore();
  #failed = false;

  constructor(database: IDBPDatabase<Schema>) {
    this.#database = database;
  }

  get persistent(): boolean {
    return !this.#failed;
  }

  async getWork(key: string): Promise<Work | undefined> {
    return (await this.#memory.getWork(key)) ?? this.#database.get("work", key).catch(() => undefined);
  }

  async putWork(key: string, work: Work): Promise<void> {
    await this.#write(
      () => this.#database.put("work", work, key),
      () => this.#memory.putWork(key, work),
    );
  }

  async deleteWork(key: string): Promise<void> {
    await this.#memory.deleteWork(key);
    await this.#write(
      () => this.#database.delete("work", key),
      () => Promise.resolve(),
    );
  }

  async worksOf(lesson: string): Promise<Map<string, Work>> {
    const range = IDBKeyRange.bound(`${lesson}/`, `${lesson}/\uffff`);
    const works = new Map<string, Work>();
    try {
      const [keys, values] = await Promise.all([
        this.#database.getAllKeys("work", range),
        this.#database.getAll("work", range),
      ]);
      keys.forEach((key, index) => {
        works.set(key.slice(lesson.length + 1), values[index]!);
      });
    } catch {
      this.#failed = true;
    }
    for (const [cell, work] of await this.#memory.worksOf(lesson)) works.set(cell, work);
    return works;
  }

  async getProgress(lesson: string): Promise<Progress | undefined> {
    return (await this.#memory.getProgress(lesson)) ?? this.#database.get("progress", lesson).catch(() => undefined);
  }

  async updateProgress(lesson: string, change: (progress: Progress) => Progress): Promise<Progress> {
    if (!this.#failed) {
      try {
        const transaction = this.#database.transaction("progress", "readwrite");
        const next = change((await transaction.store.get(lesson)) ?? EMPTY);
        await transaction.store.put(next, lesson);
        await transaction.done;
        return next;
      } catch {
        this.#failed = true;
      }
    }
    return this.#memory.updateProgress(lesson, change);
  }

  async deleteProgress(lesson: string): Promise<void> {
    await this.#memory.deleteProgress(lesson);
    await this.#write(
      () => this.#database.delete("progress", lesson),
      () => Promise.resolve(),
    );
  }

  async allProgress(): Promise<Map<string, Progress>> {
    const all = new Map<string, Progress>();
    try {
      const [keys, values] = await Promise.all([
        this.#database.getAllKeys("progress"),
        this.#database.getAll("progress"),
      ]);
      keys.forEach((key, index) => {
        all.set(key, values[index]!);
      });
    } catch {
      this.#failed = true;
    }
    for (const [lesson, progress] of await this.#memory.allProgress()) all.set(lesson, progress);
    return all;
  }

  async #write(write: () => Promise<unknown>, instead: () => Promise<void>): Promise<void> {
    if (!this.#failed) {
      try {
        await write();
        return;
      } catch {
        this.#failed = true;
      }
    }
    await instead();
  }
}

/** The same, for this page only. */
export class MemoryStore implements Store {
  readonly persistent = false;
  readonly #work = new Map<string, Work>();
  readonly #progress = new Map<string, Progress>();

  async getWork(key: string): Promise<Work | undefined> {
    return this.#work.get(key);
  }

  async putWork(key: string, work: Work): Promise<void> {
    this.#work.set(key, work);
  }

  async deleteWork(key: string): Promise<void> {
    this.#work.delete(key);
  }

  async worksOf(lesson: string): Promise<Map<string, Work>> {
    const works = new Map<string, Work>();
    for (const [key, work] of this.#work) {
      if (key.startsWith(`${lesson}/`)) works.set(key.slice(lesson.length + 1), work);
    }
    return works;
  }

  async getProgress(lesson: string): Promise<Progress | undefined> {
    return this.#progress.get(lesson);
  }

  async updateProgress(lesson: string, change: (progress: Progress) => Progress): Promise<Progress> {
    const next = change(this.#progress.get(lesson) ?? EMPTY);
    this.#progress.set(lesson, next);
    return next;
  }

  async deleteProgress(lesson: string): Promise<void> {
    this.#progress.delete(lesson);
  }

  async allProgress(): Promise<Map<string, Progress>> {
    return new Map(this.#progress);
  }
}
