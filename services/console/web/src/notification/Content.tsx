import type { ReactNode } from 'react';
import type { Notification } from '../gen/proto/fenghuo/partner/v1/partner_pb';
import { useI18n, type MessageKey } from '../i18n';
import { fullName } from '../logic/districts';
import { formatNumber } from '../logic/numbers';
import { dateTime, ms } from '../logic/time';
import { SubstanceTable } from '../ui/SubstanceTable';

/** What a notification says. What it does not say stands there as unknown. */
export function Content({ content: c }: { content: Notification }) {
  const { t, lang } = useI18n();
  const time = (value: number | undefined) => (value === undefined ? null : dateTime(value));
  return (
    <div data-testid="notification-content">
      <h3>{c.subject}</h3>
      <p className="told">{c.situation}</p>
      <dl className="content">
        <Line label={t('fact.grade')}>{c.grade ? t(`grade.${c.grade}` as MessageKey) : t('gradeState.2')}</Line>
        <Line label={t('notification.boundary')}>{t(`boundaryEffectKnown.${c.boundaryEffect}` as MessageKey)}</Line>
        <Line label={t('notification.place')}>
          {c.place && [fullName(c.place.adminCode, lang), c.place.description, c.place.waterBody].filter(Boolean).join(' ')}
        </Line>
        <Line label={t('time.occurred')} num>
          {time(ms(c.occurTime))}
        </Line>
        <Line label={t('time.learned')} num>
          {time(ms(c.learnTime))}
        </Line>
        <Line label={t('notification.sectionSender')}>{c.sectionSenderName}</Line>
        <Line label={t('notification.sectionRecipient')}>{c.sectionRecipientName}</Line>
        <Line label={t('notification.flow')} num>
          {c.flowM3PerS === undefined ? null : `${formatNumber(c.flowM3PerS)} m³/s`}
        </Line>
        <Line label={t('notification.measures')}>{c.measuresTaken}</Line>
        <Line label={t('notification.asked')}>{c.requestedAction}</Line>
        <Line label={t('notification.nextUpdate')} num>
          {time(ms(c.nextUpdateTime))}
        </Line>
        <Line label={t('notification.telephone')} num>
          {c.dutyTelephone}
        </Line>
        <Line label={t('notification.approvedBy')}>{c.approvedBy}</Line>
      </dl>
      <SubstanceTable substances={c.substances} />
    </div>
  );
}

function Line({ label, num, children }: { label: string; num?: boolean; children: ReactNode }) {
  const { t } = useI18n();
  const empty = children === null || children === undefined || children === '';
  return (
    <>
      <dt>{label}</dt>
      <dd className={`${num ? 'num' : ''} ${empty ? 'faint' : ''}`}>{empty ? t('common.unknown') : children}</dd>
    </>
  );
}
