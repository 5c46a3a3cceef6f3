/// Texts with their number of tokens by o200k_base (tiktoken 0.12).
let countedTexts: [(name: String, tokens: Int, text: String)] = [
  (
    "English prose", 70,
    """
    The deployment failed because the migration ran before the new column existed. We rolled it back, added a check that waits for the schema, and ran the pipeline again. The second attempt passed, although the integration tests took eleven minutes instead of four. Next time, look at the order of the jobs first; the error message itself says nothing about it.
    """
  ),
  (
    "English dialogue", 61,
    """
    Emily: I felt rather lonely yesterday, so I went for a walk in the park and watched the ducks.
    Companion: That sounds peaceful! Did the walk help you to feel better?
    Emily: A little. I'd love to find a hobby that I can share with others, maybe painting or pottery.
    """
  ),
  (
    "Swift", 101,
    """
    public func recall(_ query: Query) async throws(MemoryError) -> [Hit] {
      let terms = try searchTerms(of: query)
      guard !terms.isEmpty else { return [] }
      for (index, word) in terms.words.enumerated() where word.count > 3 {
        scores[index] += weight * Double(word.utf8.count) / averageLength
      }
      return scores.sorted { $0 > $1 }.prefix(limit).map(Hit.init)
    }
    """
  ),
  (
    "Python", 105,
    """
    def load_config(path: str, *, strict: bool = False) -> dict:
        \"\"\"Read a JSON file and check that each key is known.\"\"\"
        with open(path, encoding="utf-8") as handle:
            data = json.load(handle)
        unknown = set(data) - KNOWN_KEYS
        if unknown and strict:
            raise ValueError(f"unknown keys: {sorted(unknown)}")
        return {key: value for key, value in data.items() if key in KNOWN_KEYS}
    """
  ),
  (
    "JSON", 121,
    """
    {"id": "run-1042", "task_type": "debugging", "domain": "web", "status": "completed", "success_rate": 0.75, "created_at": "2023-05-07T10:00:00Z", "metadata": {"branch": "fix/login-timeout", "retries": 3}, "steps": [{"step_number": 1, "action": "pytest -x tests/test_login.py", "result": "1 failed, 41 passed in 12.31s", "success": false}]}
    """
  ),
  (
    "log", 154,
    """
    2024-11-03 08:15:42,118 ERROR [worker-7] com.example.http.Client - request POST /api/v2/orders failed after 3 retries
    java.net.SocketTimeoutException: Read timed out
        at java.base/java.net.SocketInputStream.read(SocketInputStream.java:189)
        at com.example.http.Client.execute(Client.java:214)
    2024-11-03 08:15:43,002 WARN  [main] circuit breaker opened for orders-service (10.0.12.7:8443)
    2024-11-03 08:15:43,417 INFO  [scheduler] 3 jobs are waiting, the oldest since 42 seconds; the next attempt is in 30 s
    """
  ),
  (
    "shell", 113,
    """
    $ git log --oneline -n 3 && ls -la build/
    a1b2c3d Fix the flaky checkout test
    total 48
    drwxr-xr-x  5 root root  4096 May  7 10:00 .
    -rw-r--r--  1 root root 18231 May  7 09:58 index.html
    $ docker run --rm -v "$PWD":/src node:20 npm ci --no-audit 2>&1 | tail -n 5
    """
  ),
  (
    "SQL", 107,
    """
    SELECT c.name, COUNT(o.id) AS orders, SUM(o.total) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id WHERE o.created_at >= '2023-01-01' AND c.country IN ('DE', 'FR') GROUP BY c.name HAVING COUNT(o.id) > 5 ORDER BY orders DESC LIMIT 20;
    SELECT department, avg(salary) FROM employees WHERE hired_on BETWEEN '2019-01-01' AND '2021-12-31' GROUP BY department;
    """
  ),
  (
    "numbers", 75,
    """
    3.14159 2.71828 1.41421
    1024, 2048, 4096, 65536, 1000000
    0.0023 -17.5 1e-9 99.95%
    192.168.0.1 +49 30 1234567 2023-05-07
    """
  ),
  (
    "hashes", 120,
    """
    9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    d41d8cd98f00b204e9800998ecf8427e
    550e8400-e29b-41d4-a716-446655440000
    sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
    """
  ),
  (
    "whitespace", 25,
    """
    name        value       unit


    \talpha\t\t1\tms
            indented by eight
                    indented by sixteen


    end
    """
  ),
  (
    "Markdown", 64,
    """
    # Release notes

    - **Fixed:** a crash when the cache is empty (#1234)
    - **Added:** `--json` for every command, see [the manual](https://example.com/docs/cli.html)

    | flag | meaning |
    | --- | --- |
    | `-v` | verbose output |
    """
  ),
  (
    "German", 57,
    """
    Die Bereitstellung ist fehlgeschlagen, weil die Datenbankmigration vor der neuen Spalte lief. Wir haben sie zurückgenommen, eine Prüfung hinzugefügt und die Pipeline noch einmal gestartet. Beim zweiten Versuch lief alles durch, obwohl die Integrationstests elf Minuten statt vier brauchten.
    """
  ),
  (
    "French", 58,
    """
    Le déploiement a échoué parce que la migration s'est exécutée avant la création de la colonne. Nous l'avons annulée, ajouté une vérification, puis relancé la chaîne d'intégration. La deuxième tentative a réussi, même si les tests ont duré onze minutes.
    """
  ),
  (
    "Russian", 62,
    """
    Развёртывание не удалось, потому что миграция запустилась раньше, чем появился новый столбец. Мы откатили её, добавили проверку и снова запустили конвейер. Вторая попытка прошла успешно, хотя тесты заняли одиннадцать минут.
    """
  ),
  (
    "Chinese", 58,
    """
    部署失败了，因为迁移在新列创建之前就运行了。我们回滚了迁移，添加了一个等待架构就绪的检查，然后重新运行流水线。第二次尝试成功了，虽然集成测试花了十一分钟而不是四分钟。
    """
  ),
  (
    "Japanese", 72,
    """
    新しい列が作成される前に移行が実行されたため、デプロイに失敗しました。移行を元に戻し、確認処理を追加して、パイプラインをもう一度実行しました。二回目は成功しましたが、統合テストには十一分かかりました。
    """
  ),
  (
    "Korean", 66,
    """
    새 열이 만들어지기 전에 마이그레이션이 실행되어 배포가 실패했습니다. 마이그레이션을 되돌리고 확인 단계를 추가한 다음 파이프라인을 다시 실행했습니다. 두 번째 시도는 성공했지만 통합 테스트에 십일 분이 걸렸습니다.
    """
  ),
  (
    "Hindi", 60,
    """
    तैनाती विफल रही क्योंकि नया स्तंभ बनने से पहले ही माइग्रेशन चल गया। हमने उसे वापस लिया, एक जाँच जोड़ी और पाइपलाइन फिर से चलाई। दूसरा प्रयास सफल रहा, हालाँकि परीक्षणों में चार के बजाय ग्यारह मिनट लगे।
    """
  ),
  (
    "Arabic", 52,
    """
    فشل النشر لأن عملية الترحيل بدأت قبل إنشاء العمود الجديد. تراجعنا عنها وأضفنا فحصا ثم شغلنا خط الإنتاج مرة أخرى. نجحت المحاولة الثانية مع أن الاختبارات استغرقت إحدى عشرة دقيقة.
    """
  ),
  (
    "Thai", 65,
    """
    การนำขึ้นใช้งานล้มเหลวเพราะการย้ายข้อมูลทำงานก่อนที่จะมีคอลัมน์ใหม่ เราจึงย้อนกลับ เพิ่มการตรวจสอบ แล้วรันไปป์ไลน์อีกครั้ง ครั้งที่สองสำเร็จ แม้ว่าการทดสอบจะใช้เวลาสิบเอ็ดนาที
    """
  ),
  (
    "emoji", 30,
    """
    Great work 🎉🎉 the build is green ✅ and the tests pass 🚀 but the linter complains 😅 about two files ⚠️
    """
  ),
]
