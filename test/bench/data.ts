/** Orders as a shop would send them: nested, some letters outside ASCII, some escapes, about 500 bytes a row. */

const names = ['José Conceição', 'Ana "Nita" Ferreira', 'Marta Gonçalves', 'John Smith', '佐藤 健', 'Lena Fischer'];
const statuses = ['open', 'paid', 'shipped', 'cancelled'];

/** A small generator with a seed: the same rows on every machine. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function order(n: number, next: () => number) {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
  const lines = Array.from({ length: 1 + Math.floor(next() * 3) }, () => ({
    sku: `BEAN-${Math.floor(next() * 9000)}`,
    qty: 1 + Math.floor(next() * 9),
    price: Number((next() * 90).toFixed(2)),
  }));
  return {
    order_no: `LX-${100000 + n}`,
    updated: new Date(1_772_000_000_000 + n * 1000).toISOString(),
    status: pick(statuses),
    customer: { id: Math.floor(next() * 1e6), name: pick(names), email: `kunde${n}@example.com` },
    amount: Number((next() * 900).toFixed(2)),
    currency: 'EUR',
    express: next() < 0.2,
    shipping: { street: `Rua da Prata ${n % 300}`, city: 'Lisboa', zip: '1100-420' },
    lines,
    note: next() < 0.1 ? 'leave it with the "porteiro"\nsecond floor' : 'nothing to add, thank you very much',
  };
}

/** Blocks of about 64 KB of NDJSON until `bytes` are reached; whole rows only. */
export function* ndjsonBlocks(bytes: number): Generator<Buffer> {
  const next = random(7);
  let made = 0;
  for (let n = 0; made < bytes; ) {
    let text = '';
    while (text.length < 64 * 1024) text += `${JSON.stringify(order(n++, next))}\n`;
    const block = Buffer.from(text);
    made += block.length;
    yield block;
  }
}

/** The same for comma-separated text with a header. */
export function* csvBlocks(bytes: number): Generator<Buffer> {
  const next = random(7);
  let made = 0;
  let text = 'order_no,updated,status,customer,name,amount,currency,express,street,city,note\n';
  for (let n = 0; made < bytes; ) {
    while (text.length < 64 * 1024) {
      const { order_no, updated, status, customer, amount, currency, express, shipping } = order(n++, next);
      const name = customer.name.includes('"') ? `"${customer.name.replaceAll('"', '""')}"` : customer.name;
      text += `${order_no},${updated},${status},${customer.id},${name},${amount},${currency},${express},${shipping.street},${shipping.city},nothing to add\n`;
    }
    const block = Buffer.from(text);
    made += block.length;
    text = '';
    yield block;
  }
}
