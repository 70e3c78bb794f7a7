/**
 * Which drawings the stand-in shows, and whose they are. Only sets whose licence asks for no more than attribution are
 * here (OpenMoji and Emoji One 1 are share-alike and stay out).
 *
 * A class is what CIFAR-10 means by it: no wolves among the dogs, no unicorns among the horses, no pickup trucks on either
 * side of automobile and truck. Drawings are grouped by view, and a view is drawn as often as its neighbour however many
 * drawings it has, so that a dozen smiling cats don't crowd out the two that walk.
 */

export interface ArtworkSet {
  /** The Iconify package under @iconify-json. */
  package: string;
  title: string;
  author: string;
  source: string;
  /** SPDX identifier. */
  license: string;
  /** Test images are made from one set alone, of which training never sees a drawing. */
  split: "train" | "test";
}

export const ARTWORK_SETS: readonly ArtworkSet[] = [
  {
    package: "noto",
    title: "Noto Emoji",
    author: "Google",
    source: "https://github.com/googlefonts/noto-emoji",
    license: "Apache-2.0",
    split: "train",
  },
  {
    package: "noto-v1",
    title: "Noto Emoji (version 1)",
    author: "Google",
    source: "https://github.com/googlefonts/noto-emoji",
    license: "Apache-2.0",
    split: "train",
  },
  {
    package: "twemoji",
    title: "Twemoji",
    author: "Twitter and contributors",
    source: "https://github.com/jdecked/twemoji",
    license: "CC-BY-4.0",
    split: "train",
  },
  {
    package: "emojione",
    title: "Emoji One 2 (EmojiTwo)",
    author: "Emoji One, EmojiTwo",
    source: "https://github.com/EmojiTwo/emojitwo",
    license: "CC-BY-4.0",
    split: "train",
  },
  {
    package: "fxemoji",
    title: "Firefox OS Emoji",
    author: "Mozilla",
    source: "https://github.com/mozilla/fxemoji",
    license: "Apache-2.0",
    split: "train",
  },
  {
    package: "streamline-emojis",
    title: "Streamline Emojis",
    author: "Streamline",
    source: "https://github.com/webalys-hq/streamline-vectors",
    license: "CC-BY-4.0",
    split: "train",
  },
  {
    package: "fluent-emoji-flat",
    title: "Fluent Emoji (flat)",
    author: "Microsoft",
    source: "https://github.com/microsoft/fluentui-emoji",
    license: "MIT",
    split: "test",
  },
];

/** CIFAR-10's classes in label order. */
export const CLASSES = [
  "airplane",
  "automobile",
  "bird",
  "cat",
  "deer",
  "dog",
  "frog",
  "horse",
  "ship",
  "truck",
] as const;

export type ClassName = (typeof CLASSES)[number];

/**
 * class → view → names, as the sets call them: a set contributes those that it has. `!set:name` takes one out again (a
 * drawing inside a framed square, or one that shows something else under the same name).
 */
export const DRAWINGS: Readonly<Record<ClassName, Readonly<Record<string, string>>>> = {
  airplane: {
    liner: "airplane",
    runway: "airplane-departure airplane-arrival",
    propeller: "small-airplane",
  },
  automobile: {
    side: "automobile taxi police-car policecar sport-utility-vehicle recreationalvehicle racing-car racecar",
    front: "oncoming-automobile oncomingautomobile oncoming-taxi oncomingtaxi oncoming-police-car oncomingpolicecar",
  },
  bird: {
    songbird: "bird bird-1 bird-2 black-bird blackbird parrot owl",
    soaring: "eagle dove doveofpeace",
    water: "duck goose swan flamingo penguin penguin-1 penguin-2",
    fowl: "rooster chicken turkey peacock dodo !streamline-emojis:turkey",
    chick: "baby-chick babychick front-facing-baby-chick frontfacingchick",
  },
  cat: {
    whole: "cat catside black-cat !fxemoji:cat",
    face: "cat-face fxemoji:cat",
    smiley:
      "grinning-cat grinning-cat-face grinning-cat-with-smiling-eyes grinning-cat-face-with-smiling-eyes kissing-cat " +
      "kissing-cat-face pouting-cat pouting-cat-face cat-with-wry-smile cat-face-with-wry-smile crying-cat crying-cat-face " +
      "cat-with-tears-of-joy cat-face-with-tears-of-joy smiling-cat-with-heart-eyes smiling-cat-face-with-heart-eyes " +
      "weary-cat weary-cat-face",
  },
  deer: {
    deer: "deer",
    moose: "moose",
  },
  dog: {
    whole: "dog dogside !fxemoji:dog",
    face: "dog-face fxemoji:dog",
    poodle: "poodle",
    working: "guide-dog service-dog",
  },
  frog: {
    face: "frog frog-face",
  },
  horse: {
    whole: "horse",
    face: "horse-face horseface",
    racing: "horse-racing horseracing",
  },
  ship: {
    liner: "ship passenger-ship ferry !fxemoji:ship !streamline-emojis:ship",
    motor: "motor-boat speedboat",
    sail: "sailboat !fxemoji:sailboat",
  },
  truck: {
    lorry: "delivery-truck deliverytruck articulated-lorry articulatedlorry",
    engine: "fire-engine fireengine",
  },
};

export interface Drawing {
  set: ArtworkSet;
  name: string;
  className: ClassName;
  view: string;
}

/** Every drawing in atlas order: by class, view, set, then the order in which DRAWINGS names it. */
export function listDrawings(hasIcon: (packageName: string, icon: string) => boolean): Drawing[] {
  const drawings: Drawing[] = [];
  for (const className of CLASSES) {
    for (const [view, text] of Object.entries(DRAWINGS[className])) {
      const names = text.split(/\s+/);
      const excluded = new Set(names.filter((name) => name.startsWith("!")).map((name) => name.slice(1)));
      for (const set of ARTWORK_SETS) {
        for (const entry of names) {
          if (entry.startsWith("!")) continue;
          const colon = entry.indexOf(":");
          if (colon >= 0 && entry.slice(0, colon) !== set.package) continue;
          const name = entry.slice(colon + 1);
          if (excluded.has(`${set.package}:${name}`) && colon < 0) continue;
          if (hasIcon(set.package, name)) drawings.push({ set, name, className, view });
        }
      }
    }
  }
  return drawings;
}
