import { useState } from 'react';
import { attemptFor, type Attempt } from '../api/request';
import { useCall } from '../api/useCall';
import { go } from '../app/route';
import { NotificationKind } from '../gen/proto/fenghuo/partner/v1/partner_pb';
import { useI18n, type MessageKey } from '../i18n';
import { useDesk } from '../live/context';
import { useStore } from '../live/store';
import { Choice } from '../ui/Choice';
import { Field } from '../ui/Field';
import { FormBox } from '../ui/FormBox';
import type { FormProps } from './ActionForm';
import { useRecipients } from './NotificationsSection';

const KINDS = [
  NotificationKind.WARNING,
  NotificationKind.INFORMATION,
  NotificationKind.SEARCH,
  NotificationKind.ASSISTANCE_REQUEST,
  NotificationKind.END_OF_ALERT,
];

/** Chooses whom to tell and how; the server drafts, the officer edits and approves. */
export function DraftForm({ incident, action, onDone, onCancel }: FormProps) {
  const { t, pick } = useI18n();
  const { clients, live } = useDesk();
  const call = useCall();
  const partners = useStore(live.partners.list);
  const recipients = useRecipients(incident);
  const [chosen, setChosen] = useState(action.code ?? '');
  const [kind, setKind] = useState<number>(NotificationKind.WARNING);
  const [last, setLast] = useState<Attempt | null>(null);

  const names = new Map(partners.map((p) => [p.provinceCode, p.displayName]));
  for (const r of recipients) if (!names.has(r.partnerCode)) names.set(r.partnerCode, r.displayName);
  const order = [...new Set([...recipients.map((r) => r.partnerCode), ...names.keys()])];
  const partnerCode = chosen || order[0] || '';
  const why = recipients.find((r) => r.partnerCode === partnerCode);

  const send = async () => {
    const body = { incident: incident.name, partnerCode, kind };
    const attempt = attemptFor(last, body);
    setLast(attempt);
    const answer = await call.run(() => clients.notifications.draftNotification({ ...body, requestId: attempt.id }));
    if (!answer?.notification) return;
    live.notifications.put(answer.notification);
    onDone();
    go({ centre: 'notification', notification: answer.notification.name });
  };

  return (
    <FormBox
      title={t('action.draft')}
      call={call}
      sendLabel={t('draft.make')}
      onSend={() => void send()}
      onCancel={onCancel}
      testId="draft"
      note={t('draft.note')}
      {...(partnerCode ? {} : { blocked: t('draft.noPartner') })}
    >
      <Field label={t('draft.partner')} path="partner_code" testId="draft-partner">
        {({ id, describedBy, invalid }) => (
          <select
            id={id}
            value={partnerCode}
            aria-describedby={describedBy}
            aria-invalid={invalid}
            data-testid="input-draft-partner"
            onChange={(e) => setChosen(e.target.value)}
          >
            {order.map((code) => (
              <option key={code} value={code}>
                {names.get(code)} {code}
              </option>
            ))}
          </select>
        )}
      </Field>
      {why && <p className="faint">{pick(why.whyZh, why.whyEn)}</p>}
      <Choice
        label={t('draft.kind')}
        path="kind"
        options={KINDS.map((k) => ({ value: k, label: t(`kind.${k}` as MessageKey) }))}
        value={kind}
        onChange={setKind}
        testId="draft-kind"
      />
    </FormBox>
  );
}
