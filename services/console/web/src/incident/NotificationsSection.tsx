import { useEffect, useState } from 'react';
import { go } from '../app/route';
import { IncidentState, type Incident } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import type { ProposeRecipientsResponse_Recipient as Recipient } from '../gen/proto/fenghuo/notification/v1/notification_service_pb';
import { useI18n } from '../i18n';
import { useDesk } from '../live/context';
import { useStore } from '../live/store';
import { divisionName } from '../logic/districts';
import { NotificationRow } from '../notification/NotificationRow';
import { Button } from '../ui/Button';
import { Section } from '../ui/Section';
import type { Action } from './Actions';

/** Who was told, with receipt and acknowledgement; and who should still be told, with the clause. */
export function NotificationsSection({ incident, onAction }: { incident: Incident; onAction: (action: Action) => void }) {
  const { t } = useI18n();
  const { live } = useDesk();
  const all = useStore(live.notifications.list);
  const own = [...all.values()].filter((n) => n.incident === incident.name);
  const recipients = useRecipients(incident);
  const open = incident.state !== IncidentState.CLOSED;
  return (
    <Section title={t('notifications.title')} count={own.length} testId="notifications">
      <ul className="entries">
        {own.map((n) => (
          <NotificationRow key={n.name} record={n} onOpen={() => go({ centre: 'notification', notification: n.name })} />
        ))}
      </ul>
      {open && recipients.length > 0 && (
        <>
          <h3>{t('notifications.should')}</h3>
          <ul className="entries">
            {recipients.map((r) => (
              <ShouldKnow
                key={r.partnerCode}
                recipient={r}
                told={own.some((n) => n.partnerCode === r.partnerCode)}
                onDraft={() => onAction({ kind: 'draft', code: r.partnerCode })}
              />
            ))}
          </ul>
        </>
      )}
      {own.length === 0 && recipients.length === 0 && <p className="empty">{t('notifications.none')}</p>}
    </Section>
  );
}

function ShouldKnow({ recipient, told, onDraft }: { recipient: Recipient; told: boolean; onDraft: () => void }) {
  const { t, lang, pick } = useI18n();
  return (
    <li data-testid="recipient" data-partner={recipient.partnerCode}>
      <p className="row spread">
        <span>
          <strong>{lang === 'zh' ? recipient.displayName : divisionName(recipient.partnerCode, 'en')}</strong>{' '}
          {!recipient.enrolled && <span className="faint">{t('notifications.notEnrolled')}</span>}
          {told && <span className="faint"> ✓ {t('notifications.told')}</span>}
        </span>
        <Button label={t('action.draft')} tone="quiet" testId="draft-for" onClick={onDraft} />
      </p>
      <details className="why">
        <summary>{t('common.why')}</summary>
        <p>{pick(recipient.whyZh, recipient.whyEn)}</p>
      </details>
    </li>
  );
}

/** Asks again whenever the incident changed. */
export function useRecipients(incident: Incident): readonly Recipient[] {
  const { clients } = useDesk();
  const [recipients, setRecipients] = useState<readonly Recipient[]>([]);
  useEffect(() => {
    let over = false;
    clients.notifications.proposeRecipients({ incident: incident.name }).then(
      (answer) => !over && setRecipients(answer.recipients),
      () => undefined,
    );
    return () => {
      over = true;
    };
  }, [clients, incident.name, incident.etag]);
  return recipients;
}
