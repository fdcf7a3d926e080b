import { isUtf8 } from 'node:buffer';
import { crc32 } from 'node:zlib';

/** Code page 437 from 0x80 on, in which names stand that do not say otherwise (APPNOTE appendix D). */
const upper437 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐' +
  '└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0';

/**
 * A member's name: UTF-8 when its flag says so, or Info-ZIP's Unicode path field when it belongs to this very name.
 * Else code page 437, except that macOS and Debian's zip write UTF-8 without the flag: what is UTF-8 is taken for it.
 */
export function zipName(name: Buffer, isFlagged: boolean, unicodePath: Buffer | undefined): string {
  if (isFlagged) return name.toString();
  if (unicodePath && unicodePath.length >= 5 && unicodePath[0] === 1 && unicodePath.readUInt32LE(1) === crc32(name)) {
    return unicodePath.toString('utf8', 5);
  }
  if (isUtf8(name)) return name.toString();
  return name.toString('latin1').replace(/[\x80-\xff]/g, (char) => upper437[char.charCodeAt(0) - 0x80] ?? char);
}
