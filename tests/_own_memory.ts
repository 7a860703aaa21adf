/**
 * Bytes of this module's own heap and arrays. Other test modules run in the same process at the same time, so that its resident
 * memory says nothing of one of them.
 */
export function ownMemory(): number {
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}
