/**
 * The little XML that S3 speaks: elements and text, no attributes that matter, no mixed content.
 */
export interface Element {
  readonly name: string;
  readonly children: readonly Element[];
  readonly text: string;
}

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** One element: text content is escaped, child elements are taken as they are. */
export function element(name: string, content: string | number | readonly string[]): string {
  const inside = typeof content === 'object' ? content.join('') : escapeText(String(content));
  return `<${name}>${inside}</${name}>`;
}

/** A whole document with S3's namespace on its root element. */
export function xmlDocument(root: string, children: readonly string[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${NAMESPACE}">${children.join('')}</${root}>`;
}

/** Control characters become references, as S3 writes them; XML 1.0 parsers may still refuse those below U+0020. */
function escapeText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: keys may hold any character, and S3 escapes these.
  return text.replace(/[&<>"\u0000-\u001f]/g, (char) => {
    if (char === '&') return '&amp;';
    if (char === '<') return '&lt;';
    if (char === '>') return '&gt;';
    if (char === '"') return '&quot;';
    return `&#x${char.charCodeAt(0).toString(16)};`;
  });
}

/** Parses one document. Throws a plain Error on anything that is not well-formed. */
export function parseXml(source: string): Element {
  const root = { name: '', children: [] as Element[], text: '' };
  const open = [root];
  const token =
    /<\?[^>]*\?>|<!--[\s\S]*?-->|<(\/?)([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>|([^<]+)/y;
  while (token.lastIndex < source.length) {
    const match = token.exec(source);
    if (match === null) throw new Error('not well-formed XML');
    const [, closing, name, , selfClosing, text] = match;
    const top = open.at(-1) ?? root;
    if (text !== undefined) top.text += unescapeText(text);
    else if (name !== undefined && closing === '') {
      const child = { name: name.replace(/^.*:/, ''), children: [], text: '' };
      top.children.push(child);
      if (selfClosing === '') open.push(child);
    } else if (name !== undefined) {
      if (open.length < 2 || top.name !== name.replace(/^.*:/, '')) throw new Error(`unexpected </${name}>`);
      open.pop();
    }
  }
  const [first] = root.children;
  if (open.length !== 1 || first === undefined) throw new Error('the XML document ends too early');
  return first;
}

function unescapeText(text: string): string {
  return text.replace(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (_, hex, decimal, name) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    const char = ENTITIES[name];
    if (char === undefined) throw new Error(`unknown entity &${name};`);
    return char;
  });
}

/** The direct children of that name. */
export function childrenOf(parent: Element, name: string): readonly Element[] {
  return parent.children.filter((child) => child.name === name);
}

/** The text of the first direct child of that name; undefined when there is none. */
export function textOf(parent: Element, name: string): string | undefined {
  return parent.children.find((child) => child.name === name)?.text;
}
