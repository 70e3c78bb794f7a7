/**
 * Inflate (RFC 1951), synchronous and the same everywhere. Browsers offer decompression only as a stream, and a data set
 * has to be readable from a constructor, which cannot wait. After Mark Adler's puff.c.
 */

const LENGTH_BASE = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
];
const LENGTH_EXTRA = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASE = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
  8193, 12289, 16385, 24577,
];
const DISTANCE_EXTRA = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
];
/** The order in which a block's header gives the lengths of the code-length codes. */
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const MAX_BITS = 15;

interface Huffman {
  /** Number of codes of each length. */
  counts: Uint16Array;
  /** Symbols in order of their codes. */
  symbols: Uint16Array;
}

function huffman(lengths: ArrayLike<number>): Huffman {
  const counts = new Uint16Array(MAX_BITS + 1);
  for (let i = 0; i < lengths.length; i++) counts[lengths[i]!]!++;
  const offsets = new Uint16Array(MAX_BITS + 2);
  for (let length = 1; length <= MAX_BITS; length++) offsets[length + 1] = offsets[length]! + counts[length]!;
  const symbols = new Uint16Array(lengths.length);
  for (let i = 0; i < lengths.length; i++) if (lengths[i] !== 0) symbols[offsets[lengths[i]!]!++] = i;
  counts[0] = 0;
  return { counts, symbols };
}

const FIXED_LITERALS = huffman(Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8)));
const FIXED_DISTANCES = huffman(new Array(30).fill(5));

/**
 * Unpacks a raw deflate stream.
 *
 * @param input the stream, without zlib or gzip wrapping
 * @param size how many bytes come out
 * @throws Error when the stream is damaged, cut off, or does not hold exactly `size` bytes
 */
export function inflateRaw(input: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const output = new Uint8Array(size);
  let position = 0;
  let written = 0;
  let bitBuffer = 0;
  let bitCount = 0;

  function bits(count: number): number {
    while (bitCount < count) {
      if (position >= input.length) throw new Error("the compressed data ends too early");
      bitBuffer |= input[position++]! << bitCount;
      bitCount += 8;
    }
    const value = bitBuffer & ((1 << count) - 1);
    bitBuffer >>>= count;
    bitCount -= count;
    return value;
  }

  function decode({ counts, symbols }: Huffman): number {
    let code = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length <= MAX_BITS; length++) {
      code |= bits(1);
      const count = counts[length]!;
      if (code - count < first) return symbols[index + (code - first)]!;
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    throw new Error("the compressed data holds an impossible code");
  }

  function write(byte: number): void {
    if (written >= size) throw new Error(`the compressed data holds more than ${size} bytes`);
    output[written++] = byte;
  }

  function stored(): void {
    bitBuffer = 0;
    bitCount = 0;
    if (position + 4 > input.length) throw new Error("the compressed data ends too early");
    const length = input[position]! | (input[position + 1]! << 8);
    const complement = input[position + 2]! | (input[position + 3]! << 8);
    if ((length ^ complement) !== 0xffff) throw new Error("a stored block's length is damaged");
    position += 4;
    if (position + length > input.length) throw new Error("the compressed data ends too early");
    if (written + length > size) throw new Error(`the compressed data holds more than ${size} bytes`);
    output.set(input.subarray(position, position + length), written);
    position += length;
    written += length;
  }

  function compressed(literals: Huffman, distances: Huffman): void {
    for (;;) {
      const symbol = decode(literals);
      if (symbol < 256) {
        write(symbol);
        continue;
      }
      if (symbol === 256) return;
      const kind = symbol - 257;
      if (kind >= LENGTH_BASE.length) throw new Error("the compressed data holds an impossible length");
      const length = LENGTH_BASE[kind]! + bits(LENGTH_EXTRA[kind]!);
      const far = decode(distances);
      if (far >= DISTANCE_BASE.length) throw new Error("the compressed data holds an impossible distance");
      const distance = DISTANCE_BASE[far]! + bits(DISTANCE_EXTRA[far]!);
      if (distance > written) throw new Error("the compressed data points before its beginning");
      for (let i = 0; i < length; i++) write(output[written - distance]!);
    }
  }

  function dynamic(): void {
    const literalCount = bits(5) + 257;
    const distanceCount = bits(5) + 1;
    const codeCount = bits(4) + 4;
    const lengths = new Uint8Array(literalCount + distanceCount);
    const codeLengths = new Uint8Array(19);
    for (let i = 0; i < codeCount; i++) codeLengths[CODE_LENGTH_ORDER[i]!] = bits(3);
    const code = huffman(codeLengths);
    for (let i = 0; i < lengths.length; ) {
      const symbol = decode(code);
      if (symbol < 16) {
        lengths[i++] = symbol;
        continue;
      }
      if (symbol === 16 && i === 0) throw new Error("the compressed data repeats a length that isn't there");
      const value = symbol === 16 ? lengths[i - 1]! : 0;
      const repeat = symbol === 16 ? 3 + bits(2) : symbol === 17 ? 3 + bits(3) : 11 + bits(7);
      if (i + repeat > lengths.length) throw new Error("the compressed data repeats a length too often");
      lengths.fill(value, i, i + repeat);
      i += repeat;
    }
    compressed(huffman(lengths.subarray(0, literalCount)), huffman(lengths.subarray(literalCount)));
  }

  for (let last = 0; last === 0; ) {
    last = bits(1);
    const kind = bits(2);
    if (kind === 0) stored();
    else if (kind === 1) compressed(FIXED_LITERALS, FIXED_DISTANCES);
    else if (kind === 2) dynamic();
    else throw new Error("the compressed data holds a block of an unknown kind");
  }
  if (written !== size) throw new Error(`the compressed data holds ${written} bytes instead of ${size}`);
  return output;
}
