package com.example.quiz;

import com.android.volley.toolbox.HurlStack;

/** Quiz's own server. */
final class QuizApi {
    private QuizApi() {
    }

    static void send(String path, String json) {
        HurlStack.send("Quiz/4.4 (Android 14)", "https://api.quiz.test" + path, json);
    }
}
