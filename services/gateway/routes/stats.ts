import Type from 'typebox';
import { stream } from '../../../domain/facts.ts';
import { Closed } from '../../../domain/fields.ts';
import { PERIOD_NAMES, type PeriodStats } from '../../../projections/stats.ts';
import { route } from '../route.ts';
import { Time } from './answers.ts';

const Count = (description: string) => Type.Integer({ minimum: 0, description });

export const Period = Type.Object(
  {
    from: Time,
    attempts: Count('Attempts that were recorded since.'),
    delivered: Count('Of these, attempts that delivered.'),
    failed_attempts: Count('Of these, attempts that did not.'),
    failed: Count('Deliveries that were given up since.'),
    duration_ms: Type.Union(
      [Type.Object({ p50: Type.Number({ examples: [12] }), p95: Type.Number({ examples: [57] }) }), Type.Null()],
      {
        description: 'How long attempts took, to 9.1 %; null where there were none.',
      },
    ),
  },
  { title: 'Period' },
);

const StatsQuery = Closed({
  series: Type.Optional(
    Type.Enum([...PERIOD_NAMES], { description: 'Adds what was counted in each part of this period.' }),
  ),
});

export const StatsAnswer = Type.Object(
  {
    hour: Period,
    day: Period,
    week: Period,
    series: Type.Optional(
      Type.Array(Period, { description: 'Oldest first: five minutes each of an hour, an hour each of a day or week.' }),
    ),
  },
  { title: 'Stats' },
);

export const statsRoutes = [
  route({
    method: 'GET',
    path: '/v1/channels/:channel/webhooks/:webhook/stats',
    access: 'webhook-owner',
    operation: 'getStats',
    summary: 'Read how deliveries to a webhook have gone in the last hour, day and week',
    query: StatsQuery,
    answer: StatsAnswer,
    async handle({ channel, webhook, query }, { readModels: { stats }, freshness, nowMs }) {
      await freshness.whenRead(stream.events(channel.id));
      const atMs = nowMs();
      const { hour, day, week } = stats.ofWebhook(webhook.id, atMs);
      const series = query.series && stats.series(webhook.id, atMs, query.series).map(periodAnswer);
      return { hour: periodAnswer(hour), day: periodAnswer(day), week: periodAnswer(week), series };
    },
  }),
];

function periodAnswer({ fromMs, p50Ms, p95Ms, ...counts }: PeriodStats) {
  const duration_ms = p50Ms === undefined || p95Ms === undefined ? null : { p50: p50Ms, p95: p95Ms };
  return { from: new Date(fromMs).toISOString(), ...counts, duration_ms };
}
