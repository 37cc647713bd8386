import type { Incident } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { useI18n } from '../i18n';
import { clockTimeSeconds, isoDate, ms } from '../logic/time';
import { Section } from '../ui/Section';

/** What happened when, newest first. */
export function Timeline({ incident }: { incident: Incident }) {
  const { t, pick } = useI18n();
  let day = '';
  const entries = [...incident.timeline].reverse();
  return (
    <Section title={t('timeline.title')} count={entries.length} testId="timeline">
      <ol className="timeline">
        {entries.map((e) => {
          const at = ms(e.time) ?? 0;
          const date = isoDate(at);
          const first = date !== day;
          day = date;
          return (
            <li key={`${e.sequence}-${e.type}`} data-testid="timeline-entry" data-type={e.type}>
              {first && <div className="timeline-day num">{date}</div>}
              <span className="num faint">{clockTimeSeconds(at)}</span> {pick(e.textZh, e.textEn)}
              {e.actor && <span className="faint"> · {actorName(e.actor)}</span>}
            </li>
          );
        })}
      </ol>
    </Section>
  );
}

// A resource name without a readable name is shortened to its kind and the end of its id; the whole is in the log.
function actorName(actor: string): string {
  const found = /^provinces\/\d{6}\/(\w+)\/[0-9a-f-]*?([0-9a-f]{6})$/.exec(actor);
  return found ? `${found[1]} …${found[2]}` : actor;
}
