import type { Incident } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { session } from '../api/session';
import { useI18n, type I18n } from '../i18n';
import { fullName } from '../logic/districts';
import { clockTimeSeconds, isoDate, ms } from '../logic/time';
import { Section } from '../ui/Section';

/** What happened when, newest first. */
export function Timeline({ incident }: { incident: Incident }) {
  const { t, lang, pick } = useI18n();
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
              {e.actor && <span className="faint"> · {actorName(e.actor, t, lang)}</span>}
            </li>
          );
        })}
      </ol>
    </Section>
  );
}

// A name of a record, in words as far as this page knows them; the whole name is in the log.
function actorName(actor: string, t: I18n['t'], lang: I18n['lang']): string {
  const own = session.get()?.person;
  if (own && actor === own.name) return own.displayName;
  const partner = /(?:^|\/)partners\/(\d{6})$/.exec(actor)?.[1] ?? /^provinces\/(\d{6})$/.exec(actor)?.[1];
  if (partner) return fullName(partner, lang);
  const person = /\/people\/.*([0-9a-f]{4})$/.exec(actor)?.[1];
  if (person) return t('actor.person', { end: person });
  return /^timers?\b/.test(actor) ? t('actor.timer') : actor;
}
