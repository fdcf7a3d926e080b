/** The words of a name, lower-case: `OrderID`, `ORDER_ID` and `order id` are order and id. Marks on letters are dropped. */
export function wordsOf(name: string): readonly string[] {
  return plainLetters(name)
    .replaceAll(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
    .replaceAll(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase());
}

/** Latin letters without their marks; other scripts stay as they are. */
function plainLetters(text: string): string {
  const apart = text.replaceAll('ß', 'ss').replaceAll('æ', 'ae').replaceAll('ø', 'o').replaceAll('ł', 'l');
  // Only marks of Latin letters: in Japanese, say, they make another letter.
  return apart
    .normalize('NFKD')
    .replaceAll(/(\p{Script=Latin})[\u0300-\u036f]+/gu, '$1')
    .normalize('NFC');
}

/** Names of things that are written in digits and are no quantities: leading zeros and plus signs count. */
export function namesCode(name: string): boolean {
  const codes =
    /^(zip|zipcode|postal|postcode|postalcode|plz|cep|phone|telephone|tel|fax|mobile|msisdn|ssn|tin|vatin|nif|iban|bic|account|card|ean|gtin|upc|isbn|barcode|imei|sku)$/;
  return wordsOf(name).some((word) => codes.test(word));
}

/** Names of moments and days: `updated_at`, `orderDate`, `ts`. */
export function namesTime(name: string): boolean {
  const times =
    /^(at|on|ts|time|date|datetime|timestamp|day|when|epoch|created|updated|modified|changed|change|started|ended|expires|expiry|since|until|mtime|ctime|utc)$/;
  return wordsOf(name).some((word) => times.test(word) || /(time|date|timestamp)$/.test(word));
}

/** Names of yes or no: `is_active`, `hasCard`, `optInFlag`. */
export function namesFlag(name: string): boolean {
  const words = wordsOf(name);
  return /^(is|has|can|was|did|should)$/.test(words[0] ?? '') || /^(flag|enabled)$/.test(words.at(-1) ?? '');
}

/** Names of what tells things apart: `id`, `order_no`, `customerKey`. */
export function namesIdentity(name: string): boolean {
  const identities = /^(id|uuid|guid|key|no|nr|num|number|code|ref|reference|sku|ean|isbn|pk)$|^[a-z]{2,}(id|uuid)$/;
  return identities.test(wordsOf(name).at(-1) ?? '');
}

/** A name for a field: words in camel case, an identifier, and unlike every other in `taken` even in another case. */
export function uniqueName(name: string, taken: Set<string>): string {
  const words = wordsOf(name).map((word, index) => (index === 0 ? word : word[0]?.toUpperCase() + word.slice(1)));
  const joined = words.join('');
  const base =
    joined === '' ? `field${taken.size + 1}` : /^\p{ID_Start}/u.test(joined) ? joined : `field${capital(joined)}`;
  let unique = base;
  for (let count = 2; taken.has(unique.toLowerCase()); count += 1)
    unique = `${base}${/\d$/.test(base) ? '_' : ''}${count}`;
  taken.add(unique.toLowerCase());
  return unique;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
