"""Marts of what other systems know: licences, activity, members of the LMS."""

from __future__ import annotations

from collections import Counter

from .rows import Row, Rows


class Usage(Rows):
    """What `usage` in truth.json says of licences, accounts and memberships."""

    def licence_gap(self) -> list[Row]:
        accounts = self.known["usage"]["vendor_activity"]
        contracts = {row["contract_id"]: row for row in self.input("licences")}
        rows = []
        for contract, its in self.known["usage"]["licences"].items():
            row = contracts[contract]
            account = accounts[row["product"]]
            rate = 100 * account["matched"] / account["accounts"]
            is_told = rate >= 95 and row["starts_on"] <= self.today <= row["ends_on"]
            rows.append(
                {"contract_id": contract, "vendor": row["vendor"], "product": row["product"]}
                | {"school_id": row["school_id"] or None, "match_rate": rate}
                | its
                | {"cost_unused": its["unused_seats"] * float(row["price_per_seat"]) if is_told else None}
            )
        return rows

    def activity_gap(self) -> list[Row]:
        """The totals of schools that have a contract of their own."""
        return [
            {name: its[name] for name in ("vendor", "product", "school_id", "matched", "active_30")}
            | {
                "grade": "all",
                "class_id": "all",
                "enrolled": its["entitled"],
                "gap": its["entitled"] - its["active_30"],
            }
            for its in self.licence_gap()
            if its["school_id"]
        ]

    def lms_membership_gap(self) -> list[Row]:
        gaps: Counter[tuple[str, str]] = Counter()
        for kind, pairs in self.known["usage"]["lms_memberships"]["gaps"].items():
            gaps.update((kind, class_id) for class_id, _ in pairs)
        all_of_class = Counter(
            its["class"] for its in self.on(self.today, self.enrollments) if its["role"] in {"student", "teacher"}
        )
        for class_id, count in all_of_class.items():
            gaps["in_both", class_id] = count - gaps["only_roster", class_id] - gaps["role_differs", class_id]
        return [
            {
                "lms": "Birchboard",
                "kind": kind,
                "class_id": None if kind == "class_not_found" else key,
                "class_key": key if kind == "class_not_found" else None,
                "members": count,
            }
            for (kind, key), count in gaps.items()
            if count
        ]
