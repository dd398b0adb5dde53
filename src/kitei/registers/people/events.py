"""Event names of the people room."""

from kitei.trust.auditlog.vocabulary import declare

COMPANY_PUT = declare("company:put", "会社情報を変更", "Company details changed")
ACCOUNT_LINKED = declare("account:link", "アカウントを構成員に結びつけ", "Account linked to a member")
DEPARTMENT_PUT = declare("department:put", "部署を登録・変更", "Department recorded")
MEMBER_PUT = declare("member:put", "構成員を登録・変更", "Member recorded")
OFFICE_PUT = declare("office:put", "役割を登録・変更", "Role recorded")
APPOINTED = declare("appointment:put", "任命を登録・訂正", "Appointment recorded")
QUALIFICATION_PUT = declare("qualification:put", "資格を登録・変更", "Qualification recorded")
EXPERIENCE_PUT = declare("experience:put", "実務経験を登録・変更", "Experience recorded")
CONTACT_PUT = declare("contact:put", "緊急連絡先を登録・変更", "Emergency contact recorded")
ACTIVITY_PUT = declare("activity:put", "定期活動を登録・変更", "Periodic activity recorded")
