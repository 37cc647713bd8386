import { LinkState, type Partner } from '../gen/proto/fenghuo/notification/v1/notification_pb';
import { useI18n, type I18n, type MessageKey } from '../i18n';
import { useDesk } from '../live/context';
import { useStore } from '../live/store';
import { dateTime, ms } from '../logic/time';
import { DataTable, type Column } from '../ui/DataTable';

/** Each partner with its link: since when, what waits, the last error, the key that is pinned. */
export function PartnerTable() {
  const i18n = useI18n();
  const { live, node } = useDesk();
  const partners = useStore(live.partners.list);
  return (
    <DataTable
      columns={columns(i18n)}
      rows={partners}
      rowKey={(p) => p.name}
      rowData={(p) => ({ 'data-testid': 'partner-row', 'data-partner': p.provinceCode, 'data-state': LinkState[p.linkState] })}
      empty={i18n.t('partner.none')}
      fileName={`${node.provinceCode}-partners.csv`}
      testId="partners-table"
    />
  );
}

function columns({ t }: I18n): Column<Partner>[] {
  const link = (p: Partner) => t(`linkState.${p.linkState}` as MessageKey);
  return [
    {
      label: t('partner.province'),
      text: (p) => `${p.provinceCode} ${p.displayName}`,
      cell: (p) => (
        <>
          <strong>{p.displayName}</strong> <span className="faint num">{p.provinceCode}</span>
          <div className="faint mono">{p.endpoint}</div>
        </>
      ),
    },
    { label: t('partner.mode'), text: (p) => t(`partnerMode.${p.mode}` as MessageKey) },
    { label: t('partner.link'), text: (p) => `${link(p)} ${p.lastError}`, cell: (p) => <Link partner={p} word={link(p)} /> },
    { label: t('partner.waiting'), text: (p) => String(p.undeliveredCount) },
    { label: t('partner.telephone'), text: (p) => p.dutyTelephone },
    {
      label: t('partner.key'),
      text: (p) => `${p.keyId} ${p.fingerprint}`,
      cell: (p) => (
        <span className="mono">
          {p.keyId}
          <span className="faint proof block">{p.fingerprint}</span>
        </span>
      ),
    },
  ];
}

function Link({ partner: p, word }: { partner: Partner; word: string }) {
  const { t } = useI18n();
  const since = ms(p.linkSinceTime);
  const contact = ms(p.lastContactTime);
  return (
    <>
      <strong>{word}</strong>
      {since !== undefined && <span className="num"> {t('link.since', { time: dateTime(since) })}</span>}
      {contact !== undefined && <div className="faint num">{t('partner.lastContact', { time: dateTime(contact) })}</div>}
      {p.lastError && <div data-testid="partner-error">{p.lastError}</div>}
      {p.clockDifferenceMs !== undefined && (
        <div className="faint num">{t('partner.clockDifference', { ms: String(p.clockDifferenceMs) })}</div>
      )}
    </>
  );
}
