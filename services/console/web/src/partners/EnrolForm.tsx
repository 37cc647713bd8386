import { useState } from 'react';
import { attemptFor, type Attempt } from '../api/request';
import { useCall } from '../api/useCall';
import { PartnerMode } from '../gen/proto/fenghuo/notification/v1/notification_pb';
import { useI18n, type MessageKey } from '../i18n';
import { useDesk } from '../live/context';
import { Choice } from '../ui/Choice';
import { Field } from '../ui/Field';
import { FormBox } from '../ui/FormBox';
import { TextField } from '../ui/TextField';

/** Enrols a partner: its bundle, and the fingerprint as it was read out over the telephone. */
export function EnrolForm({ onClose }: { onClose: () => void }) {
  const { t } = useI18n();
  const { clients, live } = useDesk();
  const call = useCall();
  const [bundle, setBundle] = useState('');
  const [fingerprint, setFingerprint] = useState('');
  const [mode, setMode] = useState<number>(PartnerMode.PUSH);
  const [last, setLast] = useState<Attempt | null>(null);
  const says = summary(bundle);

  const send = async () => {
    const body = { bundleJson: bundle, fingerprint: fingerprint.trim(), mode };
    const attempt = attemptFor(last, body);
    setLast(attempt);
    const answer = await call.run(() => clients.partners.enrolPartner({ ...body, requestId: attempt.id }));
    if (!answer?.partner) return;
    live.partners.put(answer.partner);
    onClose();
  };
  const blocked = !says ? t('enrol.needsBundle') : fingerprint.trim() === '' ? t('enrol.needsFingerprint') : undefined;
  return (
    <FormBox
      title={t('partner.enrol')}
      call={call}
      sendLabel={t('enrol.send')}
      onSend={() => void send()}
      onCancel={onClose}
      testId="enrol"
      note={t('enrol.note')}
      {...(blocked ? { blocked } : {})}
    >
      <Field label={t('enrol.file')} testId="enrol-file">
        {({ id }) => (
          <input
            id={id}
            type="file"
            accept=".json,application/json"
            data-testid="input-enrol-file"
            onChange={(e) => void e.target.files?.[0]?.text().then(setBundle)}
          />
        )}
      </Field>
      <TextField
        label={t('enrol.bundle')}
        path="bundle_json"
        rows={4}
        wide
        required
        value={bundle}
        onChange={setBundle}
        testId="enrol-bundle"
      />
      {says && <p data-testid="enrol-says">{t('enrol.says', says)}</p>}
      <TextField
        label={t('enrol.fingerprint')}
        path="fingerprint"
        wide
        required
        value={fingerprint}
        onChange={setFingerprint}
        testId="enrol-fingerprint"
      />
      <Choice
        label={t('partner.mode')}
        path="mode"
        options={[PartnerMode.PUSH, PartnerMode.PULL].map((m) => ({ value: m, label: t(`partnerMode.${m}` as MessageKey) }))}
        value={mode}
        onChange={setMode}
        testId="enrol-mode"
      />
    </FormBox>
  );
}

// Whose bundle it says it is: shown before enrolling, so that the wrong file is noticed. The server checks it.
function summary(text: string): { name: string; code: string; endpoint: string } | null {
  try {
    const b = JSON.parse(text) as Record<string, unknown>;
    const of = (camel: string, snake: string) => String(b[camel] ?? b[snake] ?? '');
    const code = of('provinceCode', 'province_code');
    return code === '' ? null : { name: of('displayName', 'display_name'), code, endpoint: of('endpoint', 'endpoint') || '–' };
  } catch {
    return null;
  }
}
