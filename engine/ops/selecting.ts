/**
 * The C++ library's partial sorts, step for step: which of several equal elements comes out of topk, kthvalue and median is
 * decided by them, and PyTorch's answer is what they leave (libstdc++'s nth_element, sort and partial_sort; ATen's quick_select).
 */

/** Whether the element at place a stands before the one at place b. */
export type Before = (a: number, b: number) => boolean;

const INSERTION_LIMIT = 16;

function swap(list: number[], a: number, b: number): void {
  const kept = list[a]!;
  list[a] = list[b]!;
  list[b] = kept;
}

function insertionSort(list: number[], first: number, last: number, before: Before): void {
  for (let i = first + 1; i < last; i++) {
    const value = list[i]!;
    let j = i;
    if (before(value, list[first]!)) for (; j > first; j--) list[j] = list[j - 1]!;
    else for (; before(value, list[j - 1]!); j--) list[j] = list[j - 1]!;
    list[j] = value;
  }
}

/** Puts the median of three behind the first place and parts the rest by it; returns where the second part begins. */
function partition(list: number[], first: number, last: number, before: Before): number {
  const [a, b, c] = [first + 1, first + Math.floor((last - first) / 2), last - 1];
  const less = (x: number, y: number) => before(list[x]!, list[y]!);
  if (less(a, b)) swap(list, first, less(b, c) ? b : less(a, c) ? c : a);
  else swap(list, first, less(a, c) ? a : less(b, c) ? c : b);
  let low = first + 1;
  let high = last;
  const pivot = list[first]!;
  while (true) {
    while (before(list[low]!, pivot)) low++;
    high--;
    while (before(pivot, list[high]!)) high--;
    if (low >= high) return low;
    swap(list, low, high);
    low++;
  }
}

function siftDown(list: number[], first: number, start: number, length: number, value: number, before: Before): void {
  let hole = start;
  let child = start;
  while (child < Math.floor((length - 1) / 2)) {
    child = 2 * (child + 1);
    if (before(list[first + child]!, list[first + child - 1]!)) child--;
    list[first + hole] = list[first + child]!;
    hole = child;
  }
  if (length % 2 === 0 && child === (length - 2) / 2) {
    child = 2 * (child + 1);
    list[first + hole] = list[first + child - 1]!;
    hole = child - 1;
  }
  let parent = Math.floor((hole - 1) / 2);
  while (hole > start && before(list[first + parent]!, value)) {
    list[first + hole] = list[first + parent]!;
    hole = parent;
    parent = Math.floor((hole - 1) / 2);
  }
  list[first + hole] = value;
}

/** The smallest of [first, last) as a heap in [first, middle). */
function heapSelect(list: number[], first: number, middle: number, last: number, before: Before): void {
  const length = middle - first;
  if (length >= 2) {
    for (let parent = Math.floor((length - 2) / 2); parent >= 0; parent--) {
      siftDown(list, first, parent, length, list[first + parent]!, before);
    }
  }
  for (let i = middle; i < last; i++) {
    if (!before(list[i]!, list[first]!)) continue;
    const value = list[i]!;
    list[i] = list[first]!;
    siftDown(list, first, 0, length, value, before);
  }
}

function sortHeap(list: number[], first: number, last: number, before: Before): void {
  for (let end = last - 1; end > first; end--) {
    const value = list[end]!;
    list[end] = list[first]!;
    siftDown(list, first, 0, end - first, value, before);
  }
}

/** The smallest `count` places first and in order; the rest anyhow. */
export function partialSort(list: number[], count: number, before: Before): void {
  if (count === 0) return;
  heapSelect(list, 0, count, list.length, before);
  sortHeap(list, 0, count, before);
}

const depthLimit = (n: number): number => 2 * Math.floor(Math.log2(n));

/** The place that sorting would put at `nth` is there, smaller ones before it. */
export function nthElement(list: number[], nth: number, before: Before): void {
  let [first, last] = [0, list.length];
  if (nth >= last) return;
  let depth = depthLimit(last);
  while (last - first > 3) {
    if (depth === 0) {
      heapSelect(list, first, nth + 1, last, before);
      swap(list, first, nth);
      return;
    }
    depth--;
    const cut = partition(list, first, last, before);
    if (cut <= nth) first = cut;
    else last = cut;
  }
  insertionSort(list, first, last, before);
}

function introsort(list: number[], first: number, end: number, limit: number, before: Before): void {
  let last = end;
  let depth = limit;
  while (last - first > INSERTION_LIMIT) {
    if (depth === 0) {
      heapSelect(list, first, last, last, before);
      sortHeap(list, first, last, before);
      return;
    }
    depth--;
    const cut = partition(list, first, last, before);
    introsort(list, cut, last, depth, before);
    last = cut;
  }
}

/** Sorts the first `count` places, equal ones in the order that C++ leaves them. */
export function sortFirst(list: number[], count: number, before: Before): void {
  if (count < 2) return;
  introsort(list, 0, count, depthLimit(count), before);
  insertionSort(list, 0, count, before);
}

/** ATen's quick_select, which kthvalue uses: what sorting would put at `k` is there. */
export function quickSelect(list: number[], k: number, before: Before): void {
  const after = (a: number, b: number) => before(list[b]!, list[a]!);
  let [left, right] = [0, list.length - 1];
  while (right > left) {
    if (right === left + 1) {
      if (after(left, right)) swap(list, left, right);
      return;
    }
    swap(list, left + Math.floor((right - left) / 2), left + 1);
    if (after(left + 1, right)) swap(list, left + 1, right);
    if (after(left, right)) swap(list, left, right);
    if (after(left + 1, left)) swap(list, left + 1, left);
    let i = left + 1;
    let j = right;
    while (true) {
      do i++;
      while (after(left, i));
      do j--;
      while (after(j, left));
      if (j < i) break;
      swap(list, i, j);
    }
    swap(list, left, j);
    if (j <= k) left = i;
    if (j >= k) right = j - 1;
  }
}
