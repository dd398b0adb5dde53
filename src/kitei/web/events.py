"""Event names of the web floor."""

from kitei.trust.auditlog.vocabulary import declare

IMPORTED = declare("register:import", "台帳を取込", "Registers imported")
EXPORTED = declare("register:export-all", "すべての台帳を書き出し", "All registers exported")
MAPPING_SAVED = declare("sheet:map", "列の対応を保存", "Column mapping saved")
