/** What single stored elements stand for, by the definitions of their types: nothing here is fast, or shared with a loader. */

export function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

export function bfloat16(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!;
}

/** Element `i` of Q4_K: d · scale · q − dmin · min, in groups of 32 whose scales and minima have six bits. */
export function q4_kElement(view: DataView, i: number): number {
  const block = 144 * Math.floor(i / 256);
  const [group, within] = [Math.floor((i % 256) / 32), i % 32];
  const byte = (at: number) => view.getUint8(block + at);
  const [scale, min] =
    group < 4
      ? [byte(4 + group) & 63, byte(8 + group) & 63]
      : [(byte(8 + group) & 15) | ((byte(group) >> 6) << 4), (byte(8 + group) >> 4) | ((byte(4 + group) >> 6) << 4)];
  const q = (byte(16 + Math.floor(group / 2) * 32 + within) >> (4 * (group % 2))) & 15;
  return half(view.getUint16(block, true)) * scale * q - half(view.getUint16(block + 2, true)) * min;
}

/** Element `i` of Q6_K: d · scale · (q − 32), in groups of 16; q has four bits in one place and two in another. */
export function q6_kElement(view: DataView, i: number): number {
  const block = 210 * Math.floor(i / 256);
  const [part, row, column] = [Math.floor((i % 256) / 128), Math.floor((i % 128) / 32), i % 32];
  const low = view.getUint8(block + part * 64 + (row % 2) * 32 + column) >> (row < 2 ? 0 : 4);
  const high = view.getUint8(block + 128 + part * 32 + column) >> (2 * row);
  const q = (low & 15) | ((high & 3) << 4);
  const scale = view.getInt8(block + 192 + Math.floor((i % 256) / 16));
  return half(view.getUint16(block + 208, true)) * scale * (q - 32);
}

/** Element `i` of MXFP4: 2^(exponent − 127) times a number of two exponent bits and one of fraction (E2M1). */
export function mxfp4Element(view: DataView, i: number): number {
  const [block, within] = [17 * Math.floor(i / 32), i % 32];
  const code = (view.getUint8(block + 1 + (within % 16)) >> (within < 16 ? 0 : 4)) & 15;
  const [exponent, fraction] = [(code >> 1) & 3, code & 1];
  const magnitude = exponent === 0 ? fraction / 2 : (1 + fraction / 2) * 2 ** (exponent - 1);
  return (code & 8 ? -1 : 1) * magnitude * 2 ** (view.getUint8(block) - 127);
}
