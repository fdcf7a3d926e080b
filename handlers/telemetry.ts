/**
 * One JSON line a fact. Levels by consequence: warn = nothing is lost but somebody may want to know; error = somebody
 * has to act. Counts go out as CloudWatch metrics in the embedded metric format, in the same line.
 */
type Facts = Readonly<Record<string, string | number | boolean | undefined>>;

export function log(level: 'info' | 'warn' | 'error', event: string, facts: Facts = {}): void {
  console[level](JSON.stringify({ level, event, ...facts }));
}

/** Logs counts as metrics of this layer; `facts` are only logged, never dimensions: each dimension set is billed. */
export function count(layer: string, counts: Readonly<Record<string, number>>, facts: Facts = {}): void {
  const environment = process.env['FIRN_ENVIRONMENT'] ?? 'unknown';
  const metrics = Object.keys(counts).map((name) => ({ Name: name, Unit: 'Count' }));
  const directive = { Namespace: 'Firn', Dimensions: [['environment', 'layer']], Metrics: metrics };
  const _aws = { Timestamp: Date.now(), CloudWatchMetrics: [directive] };
  console.info(JSON.stringify({ _aws, environment, layer, ...counts, ...facts }));
}
