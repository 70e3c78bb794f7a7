/**
 * A view's state in the address, `#v.first-conv.conv2d=…`, beside whatever else stands there, so that a link opens the same
 * picture. Written only after the student has touched the view.
 */

/** The state kept under a key in a hash, or null. */
export function readHash(hash: string, key: string): string | null {
  for (const part of hash.replace(/^#/, "").split("&")) {
    if (part.startsWith(`v.${key}=`)) return decodeURIComponent(part.slice(key.length + 3));
  }
  return null;
}

/** The hash with the state put under the key; every other part stays as it is. */
export function writeHash(hash: string, key: string, state: string): string {
  const others = hash
    .replace(/^#/, "")
    .split("&")
    .filter((part) => part !== "" && !part.startsWith(`v.${key}=`));
  return `#${[...others, `v.${key}=${encodeURIComponent(state)}`].join("&")}`;
}
