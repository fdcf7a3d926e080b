/** What follows a name's first character (XML 1.0, fifth edition, §2.3), beyond what ASCII has. */
const startRanges =
  ':A-Z_a-z\\u{C0}-\\u{D6}\\u{D8}-\\u{F6}\\u{F8}-\\u{2FF}\\u{370}-\\u{37D}\\u{37F}-\\u{1FFF}\\u{200C}-\\u{200D}' +
  '\\u{2070}-\\u{218F}\\u{2C00}-\\u{2FEF}\\u{3001}-\\u{D7FF}\\u{F900}-\\u{FDCF}\\u{FDF0}-\\u{FFFD}\\u{10000}-\\u{EFFFF}';
const anyName = new RegExp(`[${startRanges}][${startRanges}\\-.0-9\\u{B7}\\u{300}-\\u{36F}\\u{203F}-\\u{2040}]*`, 'uy');

/** Of the ASCII characters: 1 what a name may begin with, 2 what may only follow. */
const asciiKinds = Uint8Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code);
  return /[A-Za-z_:]/.test(char) ? 1 : /[-.0-9]/.test(char) ? 2 : 0;
});

/** End of the name that stands at `at`; `at` itself when none does. */
export function xmlNameEnd(text: string, at: number): number {
  let end = at;
  let code = text.charCodeAt(end);
  if (asciiKinds[code] === 1) {
    while (code < 128 && asciiKinds[code] !== 0) code = text.charCodeAt(++end);
  }
  if (!(code > 0x7f)) return end;
  anyName.lastIndex = at;
  return anyName.test(text) ? anyName.lastIndex : at;
}

/** The name without its namespace prefix. */
export function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The text that references stand for; undefined when one is not known: there is no DTD to declare any. */
export function resolveReferences(text: string): string | undefined {
  if (!text.includes('&')) return text;
  let known = true;
  const resolved = text.replace(/&(?:#x([0-9a-fA-F]{1,6});|#([0-9]{1,7});|([a-z]{2,4});)?/g, (_, hex, digits, name) => {
    const found = name === undefined ? character(hex, digits) : named[name];
    known &&= found !== undefined;
    return found ?? '';
  });
  return known ? resolved : undefined;
}

function character(hex: string | undefined, digits: string | undefined): string | undefined {
  const code = hex === undefined ? Number(digits ?? 'none') : Number.parseInt(hex, 16);
  const isText = (code >= 0x20 && code < 0xd800) || code === 9 || code === 10 || code === 13;
  if (isText || (code > 0xdfff && code < 0xfffe) || (code > 0xffff && code <= 0x10ffff))
    return String.fromCodePoint(code);
  return undefined;
}
