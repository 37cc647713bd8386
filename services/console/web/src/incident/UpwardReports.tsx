import type { Incident } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { useI18n, type MessageKey } from '../i18n';
import { fullName } from '../logic/districts';
import { dateTime, ms } from '../logic/time';
import { Section } from '../ui/Section';

/** Reports sent upward: initial, follow-up, final. */
export function UpwardReports({ incident }: { incident: Incident }) {
  const { t, lang } = useI18n();
  return (
    <Section title={t('upward.title')} count={incident.upwardReports.length} testId="upward">
      <ul className="entries">
        {incident.upwardReports.map((u) => (
          <li key={u.name} data-testid="upward-report" data-kind={u.kind}>
            <p>
              <strong>{t(`upwardKind.${u.kind}` as MessageKey)}</strong> <span className="num">{dateTime(ms(u.sendTime) ?? 0)}</span> ·{' '}
              {fullName(u.bodyCode, lang)} → {u.receiver}
              {u.receiptNumber && <span className="mono"> {u.receiptNumber}</span>} ·{' '}
              {u.byTelephone ? t('upward.telephone') : t('upward.written')}
            </p>
            {u.text && <p className="told">{u.text}</p>}
          </li>
        ))}
      </ul>
      {incident.upwardReports.length === 0 && <p className="empty">{t('upward.none')}</p>}
    </Section>
  );
}
