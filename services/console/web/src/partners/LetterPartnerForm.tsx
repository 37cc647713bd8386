import { useState } from 'react';
import { attemptFor, type Attempt } from '../api/request';
import { useCall } from '../api/useCall';
import { useI18n } from '../i18n';
import { useDesk } from '../live/context';
import { divisions } from '../logic/districts';
import { Field } from '../ui/Field';
import { FormBox } from '../ui/FormBox';
import { TextField } from '../ui/TextField';

const PROVINCES = divisions.filter((d) => d.code.endsWith('0000'));

/** Adds a province without a node: it gets numbered letters. */
export function LetterPartnerForm({ onClose }: { onClose: () => void }) {
  const { t, lang } = useI18n();
  const { clients, live, node } = useDesk();
  const call = useCall();
  const choices = PROVINCES.filter((p) => p.code !== node.provinceCode);
  const [code, setCode] = useState(choices[0]?.code ?? '');
  const [telephone, setTelephone] = useState('');
  const [last, setLast] = useState<Attempt | null>(null);

  const send = async () => {
    const displayName = choices.find((p) => p.code === code)?.zh ?? '';
    const body = { provinceCode: code, displayName, dutyTelephone: telephone.trim() };
    const attempt = attemptFor(last, body);
    setLast(attempt);
    const answer = await call.run(() => clients.partners.addLetterPartner({ ...body, requestId: attempt.id }));
    if (!answer?.partner) return;
    live.partners.put(answer.partner);
    onClose();
  };
  return (
    <FormBox
      title={t('partner.addLetter')}
      call={call}
      sendLabel={t('letterPartner.send')}
      onSend={() => void send()}
      onCancel={onClose}
      testId="letter-partner"
      note={t('letterPartner.note')}
      {...(telephone.trim() === '' ? { blocked: t('letterPartner.needsTelephone') } : {})}
    >
      <div className="fields">
        <Field label={t('partner.province')} path="province_code" testId="letter-province">
          {({ id }) => (
            <select id={id} value={code} data-testid="input-letter-province" onChange={(e) => setCode(e.target.value)}>
              {choices.map((p) => (
                <option key={p.code} value={p.code}>
                  {p[lang]} {p.code}
                </option>
              ))}
            </select>
          )}
        </Field>
        <TextField
          label={t('partner.telephone')}
          path="duty_telephone"
          required
          type="tel"
          value={telephone}
          onChange={setTelephone}
          testId="letter-telephone"
        />
      </div>
    </FormBox>
  );
}
